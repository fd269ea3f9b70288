// Keys refreshed per second by one scheduler and one worker, against a BullMQ worker that does nothing with
// one job a key. Every process on its own, as in production; both sides on one Redis server, in turn.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { alternate, type Side } from './alternate.ts';
import { type Reading, RoleProcess } from './child.ts';
import { prefillHotKeys } from './hot-keys.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { formatTable, say } from './report.ts';

const NAMESPACE = 'bench-refresh';
const POLL_MS = 50;
/** Near its end the side has no more work for all of its hands. */
const SHARE_MEASURED = 0.9;
const SHORTEST_WINDOW_MS = 1_000;

interface RefreshOptions extends BenchOptions {
  readonly keys: number;
  /** Until the scheduler's backlog has grown to what the worker can do, ms. */
  readonly ramp: number;
  readonly window: number;
}

interface Pair {
  readonly source: RoleProcess;
  readonly worker: RoleProcess;
}

function openPair(source: string, worker: string): Pair {
  const open = (name: string) => new RoleProcess(new URL(`./${name}.js`, import.meta.url));
  return { source: open(source), worker: open(worker) };
}

/** The rate of the worker once it is up to speed. */
async function measure(
  { source, worker }: Pair,
  url: string,
  options: RefreshOptions,
): Promise<number> {
  const start = { redisUrl: url, namespace: NAMESPACE };
  await worker.start(start);
  await source.start(start);
  await delay(options.ramp);
  const first = await worker.read();
  let last: Reading;
  do {
    await delay(POLL_MS);
    last = await worker.read();
  } while (last.atMs - first.atMs < options.window && last.count < SHARE_MEASURED * options.keys);
  await source.stop();
  await worker.stop();
  const spanMs = last.atMs - first.atMs;
  if (spanMs < Math.min(SHORTEST_WINDOW_MS, options.window)) {
    throw new Error(`${options.keys} keys were refreshed in ${spanMs} ms: raise --keys`);
  }
  return ((last.count - first.count) * 1_000) / spanMs;
}

async function run(url: string, options: RefreshOptions): Promise<[number, number]> {
  const everwarm = openPair('everwarm-scheduler', 'everwarm-worker');
  const bare = openPair('bare-producer', 'bare-worker');
  const redis = new Redis(url);
  const sides: Side[] = [
    {
      name: 'Everwarm, keys',
      run: async () => {
        await redis.flushall();
        await prefillHotKeys(url, NAMESPACE, options.keys);
        return measure(everwarm, url, options);
      },
    },
    {
      name: 'bare BullMQ, jobs',
      run: async () => {
        await redis.flushall();
        return measure(bare, url, { ...options, keys: Number.POSITIVE_INFINITY });
      },
    },
  ];
  try {
    const [ours, theirs] = await alternate(sides, options);
    if (!ours || !theirs) throw new Error('a side is missing');
    const { name, summary } = ours;
    say(formatTable('per second', [{ name, summary, against: theirs.summary }, theirs]));
    return [Math.round(ours.summary.median), Math.round(theirs.summary.median)];
  } finally {
    redis.disconnect();
    for (const { source, worker } of [everwarm, bare]) {
      source.close();
      worker.close();
    }
  }
}

const options = benchCommand(
  'refresh',
  'Refreshes per second, against BullMQ with one job a key.',
  7,
)
  .option('--keys <n>', 'hot keys that are due', wholeNumberFrom(1_000), 120_000)
  .option('--ramp <ms>', 'time to come up to speed, not measured', wholeNumberFrom(0), 3_000)
  .option('--window <ms>', 'time measured in a round', wholeNumberFrom(500), 4_000)
  .parse()
  .opts<RefreshOptions>();
const server = await startEmbeddedRedis();
try {
  say(`${options.keys} due keys with an instant loader: one scheduler, one worker, defaults.`);
  say(
    'Against: a producer (addBulk of 1,000, at most 6,000 waiting) and a no-op worker, 50 jobs at',
  );
  say('a time, removeOnComplete: true, which is the fastest it can be told to be.');
  const [keysPerSecond, bareJobsPerSecond] = await run(server.url, options);
  if (options.json) say(JSON.stringify({ keysPerSecond, bareJobsPerSecond }));
} finally {
  await server.close();
}
