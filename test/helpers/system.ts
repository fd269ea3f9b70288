import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { test as base, expect, inject, vi } from 'vitest';
import {
  type CacheOptions,
  createScheduler,
  createWorker,
  type Meta,
  type RefreshWorkers,
  type SchedulerOptions,
  type WorkerOptions,
} from '../../src/index.ts';
import type { AppCommand, ReadReport } from '../processes/app.ts';
import { type LoaderSpec, type ProbedValue, probedLoaders } from '../processes/probed-loaders.ts';
import { Child, compiled } from './child.ts';
import { Probe } from './probe.ts';
import { uniqueNamespace } from './redis.ts';

const execute = promisify(execFile);
const PATIENCE_MS = 40_000;
const END_MS = 5_000;
const SHOWN_CHARACTERS = 120;

/**
 * The processes of one test, in a namespace of its own on the project's server. When the test ends they
 * are killed, and it fails if a process that they started survives them.
 */
export class System {
  readonly url: string = inject('redisUrl');
  readonly namespace = uniqueNamespace();
  readonly redis: Redis = new Redis(this.url);
  readonly probe: Probe = new Probe(this.redis, this.namespace);
  readonly #children: Child[] = [];
  readonly #roles: Pick<RefreshWorkers, 'close'>[] = [];
  #directory: string | null = null;

  /** An application process with a cache, ready to read. */
  app(loaders: readonly LoaderSpec[], options: CacheOptions = {}): Promise<App> {
    const start = this.run('test/processes/app.js', [JSON.stringify(options)], {
      loaders,
      env: { EVERWARM_TEST_CALLER: 'reader' },
    });
    return ready(start).then((child) => new App(child));
  }

  /** A worker process by the library, with its options; the CLI's has none for locks. */
  worker(loaders: readonly LoaderSpec[], options: WorkerOptions = {}): Promise<Child> {
    const args = ['worker', JSON.stringify(options)];
    return ready(this.run('test/processes/role.js', args, { loaders }));
  }

  scheduler(loaders: readonly LoaderSpec[], options: SchedulerOptions = {}): Promise<Child> {
    const args = ['scheduler', JSON.stringify(options)];
    return ready(this.run('test/processes/role.js', args, { loaders }));
  }

  /** A scheduler in this process, for a test that has none to kill: a process takes a second to start. */
  async schedulerHere(loaders: readonly LoaderSpec[]): Promise<ReturnType<typeof createScheduler>> {
    const scheduler = createScheduler(this.#optionsHere(loaders));
    this.#roles.push(scheduler);
    await scheduler.ready();
    return scheduler;
  }

  /** A worker in this process, as `schedulerHere`. */
  async workerHere(loaders: readonly LoaderSpec[]): Promise<RefreshWorkers> {
    const worker = createWorker(this.#optionsHere(loaders));
    this.#roles.push(worker);
    await worker.ready();
    return worker;
  }

  #optionsHere(specs: readonly LoaderSpec[]) {
    const { redis, namespace, url } = this;
    return {
      redis: url,
      namespace,
      loaders: probedLoaders(specs, { redis, namespace, by: 'worker' }),
    };
  }

  /** `everwarm worker` or `everwarm scheduler`, ready. */
  everwarm(
    role: 'worker' | 'scheduler',
    loaders: readonly LoaderSpec[],
    flags: readonly string[] = [],
  ): Promise<Child> {
    const file = compiled('test/processes/loaders.js');
    const args = [role, '--loaders', file, '--redis', this.url, '--namespace', this.namespace];
    return ready(this.run('src/cli/main.js', [...args, ...flags], { loaders }));
  }

  /** Starts any program of dist/. */
  run(
    file: string,
    args: readonly string[] = [],
    given: { loaders?: readonly LoaderSpec[]; env?: NodeJS.ProcessEnv } = {},
  ): Child {
    const { REDIS_URL: _, ...inherited } = process.env;
    const child = new Child(file, args, {
      ...inherited,
      EVERWARM_TEST_URL: this.url,
      EVERWARM_TEST_NAMESPACE: this.namespace,
      EVERWARM_TEST_CALLER: 'worker',
      EVERWARM_TEST_LOADERS: JSON.stringify(given.loaders ?? []),
      ...given.env,
    });
    this.#children.push(child);
    return child;
  }

  /** Writes a file of the test's own; answers its path. */
  async file(name: string, text: string): Promise<string> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'everwarm-test-'));
    const path = join(this.#directory, name);
    await writeFile(path, text);
    return path;
  }

  /** The tokens of the locks that are held. */
  async lockTokens(): Promise<string[]> {
    const locks = await this.redis.keys(`${this.namespace}:*:lock`);
    const tokens = locks.length > 0 ? await this.redis.mget(locks) : [];
    return tokens.filter((token) => token !== null);
  }

  /** Kills what is left of the test's processes, and finds what they left behind. */
  async end(): Promise<void> {
    await Promise.all([
      ...this.#children.map((child) => child.end()),
      ...this.#roles.map((role) => role.close()),
    ]);
    this.redis.disconnect();
    if (this.#directory) await rm(this.#directory, { recursive: true });
    const isAllGone = async (): Promise<void> =>
      expect(await this.processes(), 'processes that survived').toEqual([]);
    try {
      await vi.waitFor(isAllGone, { timeout: END_MS });
    } catch (error) {
      // The test has failed; the machine need not suffer for it.
      for (const line of await this.processes()) process.kill(Number.parseInt(line, 10), 'SIGKILL');
      throw error;
    }
  }

  /** Every process that was started by one of this test, however far down: they share a variable. */
  async processes(): Promise<string[]> {
    const mark = `EVERWARM_TEST_NAMESPACE=${this.namespace}`;
    const options = { maxBuffer: 64 * 1_024 * 1_024 };
    const { stdout } = await execute('ps', ['axeww', '-o', 'pid=,stat=,args='], options);
    const lines = stdout.split('\n').filter((line) => line.includes(mark));
    return lines.map((line) => line.slice(0, SHOWN_CHARACTERS));
  }
}

/** An application process. */
export class App {
  readonly child: Child;

  constructor(child: Child) {
    this.child = child;
  }

  do<T>(command: AppCommand): Promise<T> {
    return this.child.ask<T>(command);
  }

  /** Reads a key every 20 ms for so long, or until told to stop. */
  read(loader: string, key: string, forMs = Number.MAX_SAFE_INTEGER): Promise<ReadReport> {
    return this.do({ do: 'read', loader, key, forMs });
  }

  async stopReading(): Promise<void> {
    await this.do({ do: 'stop-reading' });
  }

  get(loader: string, key: string): Promise<Meta<ProbedValue>> {
    return this.do({ do: 'get', loader, key });
  }
}

/** A test with a system of processes. */
export const test = base.extend<{ system: System }>({
  system: async ({ task: _ }, use) => {
    const system = new System();
    try {
      await use(system);
    } finally {
      await system.end();
    }
  },
});

async function ready(child: Child): Promise<Child> {
  await printed(child, /\bready\b/);
  return child;
}

/** Waits until a process has printed something like this. */
export async function printed(child: Child, pattern: RegExp): Promise<void> {
  await vi.waitFor(() => expect(child.output).toMatch(pattern), {
    timeout: PATIENCE_MS,
    interval: 20,
  });
}
