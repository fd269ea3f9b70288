// An application whose rows have versions: it writes them, or reads them all the time and sees whether they go back.
import { Redis } from 'ioredis';
import { messageOf } from '../../src/core/errors.ts';
import { type CacheOptions, createCache, defineLoader } from '../../src/index.ts';

const READERS = 4;
const KEYS = ['a', 'b', 'c'] as const;

export type VersionedCommand =
  /** Writes each row so often, and tells the cache of it in every way. */
  | { readonly do: 'write'; readonly times: number }
  /** Reads every row, several at a time, until told to stop. */
  | { readonly do: 'watch' }
  | { readonly do: 'stop' }
  | { readonly do: 'report' };

export interface VersionedReport {
  readonly reads: number;
  readonly inMemory: number;
  /** Reads that answered less than what this process knew before they began. */
  readonly wentBack: readonly string[];
  readonly errors: readonly string[];
  /** Last seen of each row. */
  readonly versions: Readonly<Record<string, number>>;
}

const redis = process.env.EVERWARM_TEST_URL ?? '';
const origin = new Redis(redis);
const rowOf = (key: string): string => `row:${key}`;
const row = defineLoader({
  name: 'row',
  ttl: '10m',
  tags: (key: string) => [`tag ${key}`],
  memory: { maxEntries: 100, ttl: '1h' },
  load: async (key: string) => Number(await origin.get(rowOf(key))),
});
const options = JSON.parse(process.argv[2] ?? '{}') as CacheOptions;
const cache = createCache({ redis, namespace: 'ns', loaders: [row], ...options });

const versions: Record<string, number> = {};
const knownBy: Record<string, string> = {};
const wentBack: string[] = [];
const errors: string[] = [];
let reads = 0;
let inMemory = 0;
let isStopped = false;

/** What is known before a read begins, it has to answer at least. */
async function read(key: string): Promise<void> {
  const known = versions[key] ?? 0;
  const by = knownBy[key];
  const { value, source, state } = await cache.getWithMeta(row, key);
  reads++;
  if (source === 'memory') inMemory++;
  if (value < known) wentBack.push(`${key}: ${value} from ${source} after ${known} by ${by}`);
  if (value > (versions[key] ?? 0)) learn(key, value, `${source} ${state}`);
}

function learn(key: string, version: number, by: string): void {
  versions[key] = Math.max(versions[key] ?? 0, version);
  knownBy[key] = by;
}

async function watch(): Promise<void> {
  const watchOne = async (key: string): Promise<void> => {
    while (!isStopped) {
      await read(key).catch((error: unknown) => errors.push(messageOf(error)));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(KEYS.flatMap((key) => Array.from({ length: READERS }, () => watchOne(key))));
}

const TELL: readonly ((key: string, version: number) => Promise<unknown>)[] = [
  (key) => cache.invalidate(row, key),
  (key, version) => cache.set(row, key, version),
  (key) => cache.invalidateTags(`tag ${key}`),
  (key) => cache.invalidateMany(row, [key]),
  (key) => cache.invalidatePattern(row, `${key}*`),
];

async function write(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    for (const key of KEYS) {
      const version = await origin.incr(rowOf(key));
      await TELL[n % TELL.length]?.(key, version);
      learn(key, version, 'its own write');
      await read(key);
      await read(key);
    }
  }
}

async function run(command: VersionedCommand): Promise<unknown> {
  switch (command.do) {
    case 'write':
      return write(command.times);
    case 'watch':
      return watch();
    case 'stop':
      isStopped = true;
      return null;
    case 'report':
      return { reads, inMemory, wentBack, errors, versions } satisfies VersionedReport;
  }
}

process.on('message', ({ id, command }: { id: number; command: VersionedCommand }) => {
  run(command).then(
    (result) => process.send?.({ id, result }),
    (error) => process.send?.({ id, error: messageOf(error) }),
  );
});
await cache.ready();
process.stdout.write('ready\n');
