// An application process: a cache, and a test that tells it over IPC what to read.
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';
import {
  type CacheOptions,
  createCache,
  type Invalidation,
  type Loader,
  type Meta,
} from '../../src/index.ts';
import { loaders } from './loaders.ts';
import type { ProbedValue } from './probed-loaders.ts';

const READ_EVERY_MS = 20;

type ProbedLoader = Loader<string, ProbedValue>;

/** A key of a loader. */
export interface At {
  readonly loader: string;
  readonly key: string;
}

/** What a test may tell this process to do; each is answered when done. */
export type AppCommand =
  | ({ readonly do: 'get' } & At)
  | ({ readonly do: 'set'; readonly value: string } & At)
  | ({ readonly do: 'invalidate' } & At)
  /** Of every key like that, of the loader, or of the namespace. */
  | { readonly do: 'invalidate-all'; readonly invalidation: Invalidation }
  /** Reads every 20 ms for so long, or until told to stop. */
  | ({ readonly do: 'read'; readonly forMs: number } & At)
  | { readonly do: 'stop-reading' }
  | ({ readonly do: 'read-together'; readonly times: number } & At)
  | { readonly do: 'count-misses' };

/** What many reads answered. */
export interface ReadReport {
  readonly reads: number;
  /** Reads that waited for the origin. */
  readonly waits: number;
  readonly stale: number;
  /** Numbers of the loads whose values were read, in order of their first read. */
  readonly loads: readonly number[];
  /** Versions of the values that were read. */
  readonly versions: readonly number[];
  readonly errors: readonly string[];
}

const cache = createCache({
  redis: process.env.EVERWARM_TEST_URL ?? '',
  namespace: process.env.EVERWARM_TEST_NAMESPACE ?? '',
  loaders,
  ...(JSON.parse(process.argv[2] ?? '{}') as CacheOptions),
});
let misses = 0;
let isStopped = false;
cache.on('entry:missed', () => {
  misses++;
});

class Reads {
  #reads = 0;
  #waits = 0;
  #stale = 0;
  readonly #loads = new Set<number>();
  readonly #versions = new Set<number>();
  readonly #errors: string[] = [];

  async read({ loader, key }: At): Promise<void> {
    this.#reads++;
    try {
      const { value, source, state } = await cache.getWithMeta(find(loader), key);
      if (source === 'loader') this.#waits++;
      if (state === 'stale') this.#stale++;
      this.#loads.add(value.n);
      this.#versions.add(value.version);
    } catch (error) {
      this.#errors.push(messageOf(error));
    }
  }

  report(): ReadReport {
    return {
      reads: this.#reads,
      waits: this.#waits,
      stale: this.#stale,
      loads: [...this.#loads],
      versions: [...this.#versions],
      errors: this.#errors,
    };
  }
}

async function run(command: AppCommand): Promise<unknown> {
  switch (command.do) {
    case 'get':
      return get(command);
    case 'set': {
      const value = { n: 0, version: 0, pid: process.pid, origin: command.value };
      return cache.set(find(command.loader), command.key, value);
    }
    case 'invalidate':
      return cache.invalidate(find(command.loader), command.key);
    case 'invalidate-all':
      return cache.applyInvalidation(command.invalidation);
    case 'read':
      isStopped = false;
      return readSteadily(command);
    case 'stop-reading':
      isStopped = true;
      return null;
    case 'read-together':
      return readTogether(command);
    case 'count-misses':
      return misses;
  }
}

function get({ loader, key }: At): Promise<Meta<ProbedValue>> {
  return cache.getWithMeta(find(loader), key);
}

async function readSteadily(command: Extract<AppCommand, { do: 'read' }>): Promise<ReadReport> {
  const reads = new Reads();
  const endAtMs = performance.now() + command.forMs;
  while (performance.now() < endAtMs && !isStopped) {
    await reads.read(command);
    await delay(READ_EVERY_MS); // the pace of a visitor, not a wait for anything
  }
  return reads.report();
}

async function readTogether(
  command: Extract<AppCommand, { do: 'read-together' }>,
): Promise<ReadReport> {
  const reads = new Reads();
  await Promise.all(Array.from({ length: command.times }, () => reads.read(command)));
  return reads.report();
}

function find(name: string): ProbedLoader {
  const loader = loaders.find((one) => one.name === name);
  if (!loader) throw new Error(`no loader ${name} in EVERWARM_TEST_LOADERS`);
  return loader as unknown as ProbedLoader;
}

process.on('message', ({ id, command }: { id: number; command: AppCommand }) => {
  run(command).then(
    (result) => process.send?.({ id, result }),
    (error) => process.send?.({ id, error: messageOf(error) }),
  );
});
await cache.ready();
process.stdout.write('ready\n');
