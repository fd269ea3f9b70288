import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { ensureRedisServer } from '../../src/dev/redis-binary.ts';
import { freePort } from './port.ts';

const MASTER_NAME = 'everwarm-test';
const SENTINELS = 3;
const QUORUM = '2';
const PATIENCE = { timeout: 30_000, interval: 50 };

// A sentinel keeps its state in its configuration file, and has no other way to be told what to watch.
// As src/dev/embedded-redis.ts does it: the shell blocks on a pipe that only this process holds open.
const WRAPPER = `
dir=$(mktemp -d "$1/everwarm-sentinel-XXXXXX") || exit 1
cd "$dir" || exit 1
printf '%s\\n' "$3" > sentinel.conf
"$2" "$dir/sentinel.conf" --sentinel 3<&- &
server=$!
trap 'kill -KILL "$server"; wait "$server"; rm -rf -- "$dir"' EXIT
trap 'exit 0' HUP INT TERM
read -r _ <&3
`;

/**
 * A master with two replicas and three sentinels, each a process of its own that dies with this one.
 * Start it in `beforeAll` and close it in `afterAll`.
 */
export class TestSentinels {
  readonly #servers: readonly EmbeddedRedis[];
  readonly #sentinels: readonly Sentinel[];

  private constructor(servers: readonly EmbeddedRedis[], sentinels: readonly Sentinel[]) {
    this.#servers = servers;
    this.#sentinels = sentinels;
  }

  static async start(): Promise<TestSentinels> {
    const servers: EmbeddedRedis[] = [];
    const sentinels: Sentinel[] = [];
    const group = new TestSentinels(servers, sentinels);
    try {
      const master = await startEmbeddedRedis({ args: ['--repl-diskless-sync-delay', '0'] });
      servers.push(master);
      const replicaOf = ['--replicaof', '127.0.0.1', String(master.port)];
      for (let n = 0; n < 2; n++) servers.push(await startEmbeddedRedis({ args: replicaOf }));
      for (let n = 0; n < SENTINELS; n++) sentinels.push(await Sentinel.start(master.port));
      await group.#known();
    } catch (error) {
      await group.close();
      throw error;
    }
    return group;
  }

  /** What a role's `redis` option takes. */
  get target(): { name: string; sentinels: { host: string; port: number }[] } {
    const sentinels = this.#sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
    return { name: MASTER_NAME, sentinels };
  }

  /** The master now, as the first sentinel sees it. */
  async master(): Promise<EmbeddedRedis> {
    const port = await this.#ask(async (sentinel) => {
      const reply = await sentinel.call('SENTINEL', 'get-master-addr-by-name', MASTER_NAME);
      return Number((reply as [string, string])[1]);
    });
    const found = this.#servers.find((server) => server.port === port);
    if (!found) throw new Error(`the sentinels name a stranger at port ${port}`);
    return found;
  }

  /** Kills the master; answers when the sentinels have another one that takes writes. */
  async failOver(): Promise<void> {
    const old = await this.master();
    process.kill(old.pid, 'SIGKILL');
    await old.exited;
    await vi.waitFor(async () => {
      const next = await this.master();
      expect(next.port).not.toBe(old.port);
      expect(await roleOf(next)).toBe('master');
    }, PATIENCE);
  }

  /** Ends all sentinels; the servers go on as they are. */
  async abandon(): Promise<void> {
    await Promise.all(this.#sentinels.map((sentinel) => sentinel.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.#servers].map((server) => server.close()));
  }

  /** Every sentinel knows the others and both replicas, whose links are up. */
  async #known(): Promise<void> {
    await vi.waitFor(async () => {
      for (const sentinel of this.#sentinels) {
        const state = await asking(sentinel, (redis) => redis.info('sentinel'));
        expect(state).toContain(
          `status=ok,address=127.0.0.1:${this.#servers[0]?.port},slaves=2,sentinels=3`,
        );
      }
      for (const replica of this.#servers.slice(1)) {
        const state = await asking(replica, (redis) => redis.info('replication'));
        expect(state).toContain('master_link_status:up');
      }
    }, PATIENCE);
  }

  #ask<T>(question: (sentinel: Redis) => Promise<T>): Promise<T> {
    const [first] = this.#sentinels;
    if (!first) throw new Error('no sentinel runs');
    return asking(first, question);
  }
}

class Sentinel {
  readonly port: number;
  readonly #wrapper: ChildProcess;

  private constructor(port: number, wrapper: ChildProcess) {
    this.port = port;
    this.#wrapper = wrapper;
  }

  static async start(masterPort: number): Promise<Sentinel> {
    const port = await freePort();
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${MASTER_NAME} 1500`,
      `sentinel failover-timeout ${MASTER_NAME} 5000`,
    ];
    const binary = await ensureRedisServer(() => undefined);
    const args = [tmpdir(), binary, lines.join('\n')];
    const wrapper = spawn('/bin/sh', ['-c', WRAPPER, 'everwarm-sentinel', ...args], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    (wrapper.stdio[3] as Socket).on('error', () => undefined);
    return new Sentinel(port, wrapper);
  }

  async close(): Promise<void> {
    if (this.#wrapper.exitCode !== null) return;
    const exited = once(this.#wrapper, 'exit');
    (this.#wrapper.stdio[3] as Socket).destroy();
    await exited;
  }
}

async function roleOf(server: EmbeddedRedis): Promise<string> {
  const [role] = (await asking(server, (redis) => redis.call('ROLE'))) as [string];
  return role;
}

async function asking<T>(
  { port }: { readonly port: number },
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
