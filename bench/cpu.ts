// What reads and refreshes cost in processor time, of our process and of Redis: unlike rates, it is hardly
// another on a machine that is busy with other things. One core does the reciprocal a second, at most.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { createCache, createWorker } from '../src/index.ts';
import { RoleProcess } from './child.ts';
import { prefillHotKeys } from './hot-keys.ts';
import { hot } from './hot-loader.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { say } from './report.ts';

const NAMESPACE = 'bench-cpu';
const IN_FLIGHT = 64;
const KEYS = 1_000;
const POLL_MS = 20;

interface CpuOptions extends BenchOptions {
  readonly reads: number;
  readonly refreshes: number;
}

interface Cost {
  readonly processUs: number;
  readonly redisUs: number;
}

/** Processor time for each of `count` pieces of work. */
async function costOf(redis: Redis, work: () => Promise<number>): Promise<Cost> {
  const redisBefore = await redisCpuUs(redis);
  const before = process.cpuUsage();
  const count = await work();
  const { user, system } = process.cpuUsage(before);
  const redisUs = (await redisCpuUs(redis)) - redisBefore;
  return { processUs: (user + system) / count, redisUs: redisUs / count };
}

async function redisCpuUs(redis: Redis): Promise<number> {
  const text = await redis.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(text)?.[1]);
  return 1_000_000 * (seconds('used_cpu_user') + seconds('used_cpu_sys'));
}

/** Hits in Redis, 64 at a time, recording on. */
async function readCost(redis: Redis, url: string, reads: number): Promise<Cost> {
  const cache = createCache({ redis: url, namespace: NAMESPACE, loaders: [hot] });
  await cache.ready();
  const readAll = async (count: number): Promise<number> => {
    let next = 0;
    const reader = async (): Promise<void> => {
      while (next < count) await cache.get(hot, next++ % KEYS);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, reader));
    return count;
  };
  await readAll(10 * KEYS);
  const cost = await costOf(redis, () => readAll(reads));
  await cache.close();
  return cost;
}

/** Refreshes of a loader that has its value at once; Redis' part has the scheduler's work in it. */
async function refreshCost(redis: Redis, url: string, refreshes: number): Promise<Cost> {
  await redis.flushall();
  await prefillHotKeys(url, NAMESPACE, refreshes);
  const worker = createWorker({ redis: url, namespace: NAMESPACE, loaders: [hot] });
  let done = 0;
  worker.on('refresh:completed', () => done++);
  const scheduler = new RoleProcess(new URL('./everwarm-scheduler.js', import.meta.url));
  try {
    await worker.ready();
    await scheduler.start({ redisUrl: url, namespace: NAMESPACE });
    while (done < refreshes / 4) await delay(POLL_MS);
    return await costOf(redis, async () => {
      const before = done;
      while (done < 0.9 * refreshes) await delay(POLL_MS);
      return done - before;
    });
  } finally {
    await scheduler.stop();
    scheduler.close();
    await worker.close();
  }
}

const options = benchCommand('cpu', 'Processor time of a read and of a refresh.', 1)
  .option('--reads <n>', 'reads', wholeNumberFrom(1_000), 300_000)
  .option('--refreshes <n>', 'hot keys to refresh', wholeNumberFrom(1_000), 60_000)
  .parse()
  .opts<CpuOptions>();
const server = await startEmbeddedRedis();
const redis = new Redis(server.url);
try {
  const costs = {
    'a hit in Redis': await readCost(redis, server.url, options.reads),
    'a refresh': await refreshCost(redis, server.url, options.refreshes),
  };
  for (const [name, { processUs, redisUs }] of Object.entries(costs)) {
    say(`${name}: ${processUs.toFixed(1)} us of the process, ${redisUs.toFixed(1)} us of Redis`);
  }
  if (options.json) say(JSON.stringify(costs));
} finally {
  redis.disconnect();
  await server.close();
}
