// Keys warmed per second, by one `loadMany` a job and by one `load` a key: a warmer and one worker, each in
// a process of its own, on one Redis. What the queue holds at most, and the warmer's memory, are watched.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { openQueue } from '../src/queue/refresh-queue.ts';
import { Keys } from '../src/redis/keys.ts';
import { alternate, type Side } from './alternate.ts';
import { type Reading, RoleProcess } from './child.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { formatTable, say } from './report.ts';
import { many, one } from './warm-loaders.ts';

const NAMESPACE = 'bench-warm';
const POLL_MS = 100;
/** Until connections are up and code is compiled. */
const RAMP_SHARE = 0.2;
const MIB = 1_024 * 1_024;

interface WarmOptions extends BenchOptions {
  readonly keys: number;
  readonly loadKeys: number;
  readonly callMs: number;
}

interface Work {
  readonly keys: number;
  readonly isBatched: boolean;
}

interface Peaks {
  jobs: number;
  warmerBytes: number;
}

/** Warms so many keys of an empty cache; answers the rate of the worker once it is up to speed. */
async function measure(url: string, { keys, isBatched }: Work, peaks: Peaks): Promise<number> {
  const redis = new Redis(url);
  await redis.flushall();
  const queue = openQueue(redis, new Keys(NAMESPACE), isBatched ? many : one);
  const worker = new RoleProcess(new URL('./warm-worker.js', import.meta.url));
  const warmer = new RoleProcess(new URL('./warmer.js', import.meta.url));
  try {
    await worker.start({ redisUrl: url, namespace: NAMESPACE });
    await warmer.start({ redisUrl: url, namespace: NAMESPACE, keys, isBatched });
    let first: Reading | null = null;
    let last: Reading = await warmer.read();
    while (last.count < keys) {
      await delay(POLL_MS);
      const counts = await queue.getJobCounts('prioritized', 'waiting', 'active', 'delayed');
      const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0);
      peaks.jobs = Math.max(peaks.jobs, jobs);
      last = await warmer.read();
      if (last.count >= RAMP_SHARE * keys) first ??= last;
    }
    peaks.warmerBytes = Math.max(peaks.warmerBytes, last.peakBytes ?? 0);
    await warmer.stop();
    await worker.stop();
    if (!first || first === last)
      throw new Error(`${keys} keys are too few to measure: raise --keys`);
    return ((last.count - first.count) * 1_000) / (last.atMs - first.atMs);
  } finally {
    warmer.close();
    worker.close();
    await queue.close();
    redis.disconnect();
  }
}

const options = benchCommand('warm', 'Keys warmed per second, by loadMany and by load.', 3)
  .option('--keys <n>', 'keys to warm by loadMany', wholeNumberFrom(10_000), 200_000)
  .option('--load-keys <n>', 'keys to warm by load', wholeNumberFrom(10_000), 40_000)
  .option('--call-ms <n>', 'how long each loader call takes', wholeNumberFrom(0), 0)
  .parse()
  .opts<WarmOptions>();
process.env.EVERWARM_BENCH_CALL_MS = String(options.callMs); // For both processes.
const server = await startEmbeddedRedis();
const peaks = { jobs: 0, warmerBytes: 0 };
try {
  const loaders = options.callMs > 0 ? `loader calls of ${options.callMs} ms` : 'instant loaders';
  say(`One warmer, one worker with defaults, ${loaders}, an empty cache.`);
  const sides: Side[] = [
    {
      name: 'loadMany, keys',
      run: () => measure(server.url, { keys: options.keys, isBatched: true }, peaks),
    },
    {
      name: 'load, keys',
      run: () => measure(server.url, { keys: options.loadKeys, isBatched: false }, peaks),
    },
  ];
  const [batched, single] = await alternate(sides, options);
  if (!batched || !single) throw new Error('a side is missing');
  const { name, summary } = batched;
  say(formatTable('per second', [{ name, summary, against: single.summary }, single]));
  say(
    `The queue never held more than ${peaks.jobs} jobs; the warmer's memory peaked at ${Math.round(peaks.warmerBytes / MIB)} MiB.`,
  );
  const result = {
    loadMany: Math.round(summary.median),
    load: Math.round(single.summary.median),
  };
  if (options.json) say(JSON.stringify(result));
} finally {
  await server.close();
}
