import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';

const MASTERS = 3;
const SLOTS = 16_384;
const NODE_ARGS = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
// Copied from the first moment on: a master that dies before is never failed over.
const DISKLESS_ARGS = ['--repl-diskless-sync-delay', '0'];
// Nobody is told of a replica before it has heard something of its master: each 10 s by itself.
const REPLICA_ARGS = [...DISKLESS_ARGS, '--repl-ping-replica-period', '1'];
const OK = new Set(['ok']);
const PATIENCE = { timeout: 30_000, interval: 50 };

/** One server of a cluster, with a connection of the test's own to it. */
export class TestNode {
  readonly server: EmbeddedRedis;
  readonly redis: Redis;

  constructor(server: EmbeddedRedis, password?: string) {
    this.server = server;
    this.redis = new Redis(server.port, '127.0.0.1', { ...(password && { password }) });
    this.redis.on('error', () => undefined); // Tests kill servers.
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    process.kill(this.server.pid, 'SIGKILL');
    await this.server.exited;
  }

  get port(): number {
    return this.server.port;
  }

  id(): Promise<string> {
    return this.redis.cluster('MYID') as Promise<string>;
  }

  async info(name: string): Promise<string | undefined> {
    const text = await this.redis.info('replication');
    return new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1]?.trim();
  }

  async clusterState(): Promise<string | undefined> {
    const text = String(await this.redis.cluster('INFO'));
    return /^cluster_state:(.*)$/m.exec(text)?.[1]?.trim();
  }
}

/**
 * A Redis Cluster of three masters and three replicas, each a process of its own that dies with this one.
 * Start one in `beforeAll` and close it in `afterAll`.
 */
export class TestCluster {
  readonly nodes: readonly TestNode[];

  private constructor(nodes: readonly TestNode[]) {
    this.nodes = nodes;
  }

  static async start(args: readonly string[] = []): Promise<TestCluster> {
    const nodes = await Promise.all(
      Array.from({ length: 2 * MASTERS }, async () => {
        const all = [...NODE_ARGS, ...REPLICA_ARGS, ...args];
        return new TestNode(await startEmbeddedRedis({ args: all }));
      }),
    );
    const cluster = new TestCluster(nodes);
    try {
      await cluster.#join();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** What a role's `redis` option takes. */
  get target(): { cluster: { host: string; port: number }[] } {
    return { cluster: this.masters.map(({ port }) => ({ host: '127.0.0.1', port })) };
  }

  /** Those of the start. */
  get masters(): readonly TestNode[] {
    return this.nodes.slice(0, MASTERS);
  }

  get replicas(): readonly TestNode[] {
    return this.nodes.slice(MASTERS);
  }

  /** The node that owns a key's slot now, as a living node sees it. */
  async ownerOf(key: string): Promise<TestNode> {
    const [witness] = this.living();
    const slot = Number(await witness?.redis.cluster('KEYSLOT', key));
    const ranges = (await witness?.redis.cluster('SLOTS')) ?? [];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    const owner = this.nodes.find(({ port }) => port === range?.[2]?.[1]);
    if (!owner) throw new Error(`no node owns slot ${slot}`);
    return owner;
  }

  living(): TestNode[] {
    return this.nodes.filter(({ server }) => isAlive(server.pid));
  }

  /** Resolves when every living node says `cluster_state:ok`. */
  async ok(): Promise<void> {
    await vi.waitFor(async () => expect(new Set(await this.#states())).toEqual(OK), PATIENCE);
  }

  /** Resolves when a living node says `cluster_state:fail`. */
  async failed(): Promise<void> {
    await vi.waitFor(async () => expect(await this.#states()).toContain('fail'), PATIENCE);
  }

  #states(): Promise<(string | undefined)[]> {
    return Promise.all(this.living().map((node) => node.clusterState()));
  }

  async close(): Promise<void> {
    for (const { redis } of this.nodes) redis.disconnect();
    await Promise.all(this.nodes.map(({ server }) => server.close()));
  }

  async #join(): Promise<void> {
    const [first] = this.nodes;
    const share = Math.ceil(SLOTS / MASTERS);
    await Promise.all(
      this.masters.map(({ redis }, at) => {
        const last = Math.min(SLOTS, (at + 1) * share) - 1;
        return redis.cluster('ADDSLOTSRANGE', at * share, last);
      }),
    );
    for (const { redis } of this.nodes) {
      if (redis !== first?.redis) await redis.cluster('MEET', '127.0.0.1', first?.port ?? 0);
    }
    await this.#allKnowAll();
    await Promise.all(
      this.replicas.map(async ({ redis }, at) => {
        await redis.cluster('REPLICATE', (await this.masters[at]?.id()) ?? '');
      }),
    );
    await this.ok();
    await this.replicated();
  }

  /** Resolves when every replica has its master's data, and all nodes know of it. */
  async replicated(): Promise<void> {
    await vi.waitFor(async () => {
      const links = this.replicas.map((node) => node.info('master_link_status'));
      expect(await Promise.all(links)).toEqual(['up', 'up', 'up']);
      for (const { redis } of this.nodes) {
        for (const [, , ...nodes] of await redis.cluster('SLOTS')) expect(nodes).toHaveLength(2);
      }
    }, PATIENCE);
  }

  async #allKnowAll(): Promise<void> {
    await vi.waitFor(async () => {
      for (const { redis } of this.nodes) {
        const lines = String(await redis.cluster('NODES'))
          .trim()
          .split('\n');
        expect(lines.filter((line) => !/handshake|fail/.test(line))).toHaveLength(2 * MASTERS);
      }
    }, PATIENCE);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
