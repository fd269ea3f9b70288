// A cold start: so many keys that were all loaded within one second, refreshed for the first time by a real
// scheduler and worker. How much busier is the origin's busiest second than the mean?
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { createScheduler, createWorker, defineLoader, type Loader } from '../src/index.ts';
import { encodeValue } from '../src/redis/codec.ts';
import { encodeEntry } from '../src/redis/entry.ts';
import { Keys } from '../src/redis/keys.ts';
import { Tracker } from '../src/redis/tracker.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { say } from './report.ts';

interface ColdStartOptions extends BenchOptions {
  readonly keys: number;
  readonly ttl: number;
  readonly schedulers: number;
}

const CHUNK = 1_000;
const READS = 1_000;
const CONCURRENCY = 200;
const BORN_WITHIN_MS = 1_000;

/** Entries as a cold start leaves them: loaded one after the other within one second, and hot. */
async function fill(redis: Redis, loader: Loader<number, unknown>, count: number): Promise<void> {
  const keys = new Keys('bench-cold-start');
  const tracker = new Tracker(redis, keys, loader);
  const bornAtMs = Date.now();
  for (let from = 0; from < count; from += CHUNK) {
    const pipeline = redis.pipeline();
    const records = [];
    for (let id = from; id < Math.min(from + CHUNK, count); id++) {
      const createdAtMs = bornAtMs + (BORN_WITHIN_MS * id) / count;
      const expiresAtMs = Math.floor(createdAtMs + loader.ttlMs);
      const header = { createdAtMs, expiresAtMs, logHeat: Number.NaN, unreadLives: 0 };
      const load = { meanMs: 1, deviationMs: 0.5 };
      const bytes = encodeEntry(
        { ...header, load, invalidated: false, notFound: false },
        encodeValue(id),
      );
      pipeline.set(keys.entry(loader, String(id)), bytes, 'PX', 2 * loader.ttlMs);
      records.push({ key: String(id), reads: READS, expiresAtMs });
    }
    await pipeline.exec();
    await tracker.record(records, { nowMs: Date.now(), lookAheadMs: loader.ttlMs / 2 });
  }
}

interface Refreshed {
  /** Loader calls, by the second. */
  readonly perSecond: readonly number[];
  readonly peakToMean: number;
}

/** Seconds from the first call on; the last one is hardly a whole one, so the mean is over the time it took. */
function summary(callsAtMs: readonly number[]): Refreshed {
  const firstMs = callsAtMs[0] ?? 0;
  const perSecond: number[] = [];
  for (const ms of callsAtMs) {
    const second = Math.floor((ms - firstMs) / 1_000);
    perSecond[second] = (perSecond[second] ?? 0) + 1;
  }
  const seconds = Array.from(perSecond, (count) => count ?? 0);
  const tookSeconds = ((callsAtMs.at(-1) ?? firstMs) - firstMs) / 1_000;
  return {
    perSecond: seconds,
    peakToMean: (Math.max(...seconds) * tookSeconds) / callsAtMs.length,
  };
}

async function run(url: string, { keys: count, ttl, schedulers }: ColdStartOptions): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const callsAtMs: number[] = [];
  let done = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const load = (id: number): number => {
    if (callsAtMs.push(Date.now()) === count) done();
    return id;
  };
  const loader = defineLoader({ name: 'cold', ttl: ttl * 1_000, load });
  const common = { redis: url, namespace: 'bench-cold-start', loaders: [loader] };
  const worker = createWorker({ ...common, concurrency: CONCURRENCY });
  const running = Array.from({ length: schedulers }, () => createScheduler(common));
  await Promise.all([worker.ready(), ...running.map((scheduler) => scheduler.ready())]);
  await fill(redis, loader, count);
  await all;
  await Promise.all(running.map((scheduler) => scheduler.close()));
  await worker.close();
  redis.disconnect();
  const { perSecond, peakToMean } = summary(callsAtMs);
  say(`Loads a second: ${perSecond.join(', ')}`);
  say(`The busiest second has ${peakToMean.toFixed(2)} times the mean.`);
}

const about = 'The first refreshes after a cold start, second by second.';
const options = benchCommand('cold-start', about, 1)
  .option('--keys <n>', 'keys loaded within one second', wholeNumberFrom(1_000), 50_000)
  .option('--ttl <s>', 'their ttl in seconds', wholeNumberFrom(10), 60)
  .option('--schedulers <n>', 'schedulers in this process', wholeNumberFrom(1), 1)
  .parse()
  .opts<ColdStartOptions>();
const server = await startEmbeddedRedis();
try {
  await run(server.url, options);
} finally {
  await server.close();
}
