// What Redis keeps for a tracked key, an entry and a queued job, in bytes of its memory: by MEMORY USAGE where it
// is one key, by the growth of used_memory where it is many.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { type Refresh, RefreshQueue } from '../src/queue/refresh-queue.ts';
import { Keys } from '../src/redis/keys.ts';
import { Tracker } from '../src/redis/tracker.ts';
import { prefillHotKeys } from './hot-keys.ts';
import { hot } from './hot-loader.ts';
import { benchCommand, wholeNumberFrom } from './options.ts';
import { say } from './report.ts';

const CHUNK = 500;
const JOBS = 10_000;
/** More at a time are packed into jobs of 100 keys. */
const BULK = 1_000;

interface SizeOptions {
  readonly keys: number;
  readonly json?: boolean;
}

const KEY_TEXTS: Readonly<Record<string, (at: number) => string>> = {
  'key text of 10 characters': (at) => `sku-${String(at).padStart(6, '0')}`,
  'key text of 36 characters (a UUID)': () => randomUUID(),
};

async function trackedBytes(redis: Redis, count: number, text: (at: number) => string) {
  await redis.flushall();
  const keys = new Keys('sizes');
  const tracker = new Tracker(redis, keys, hot);
  const nowMs = Date.now();
  for (let from = 0; from < count; from += CHUNK) {
    const records = Array.from({ length: Math.min(CHUNK, count - from) }, (_, at) => ({
      key: text(from + at),
      reads: 3,
      expiresAtMs: nowMs + hot.ttlMs,
    }));
    await tracker.record(records, { nowMs, lookAheadMs: hot.ttlMs / 2 });
  }
  const { heat, due } = keys.tracker(hot, tracker.halfLifeMs);
  const [heatCount, dueCount] = [await redis.zcard(heat), await redis.zcard(due)];
  if (heatCount !== count || dueCount !== count) {
    throw new Error(`${count} keys were recorded, but ${heatCount} and ${dueCount} are tracked`);
  }
  return ((await usage(redis, heat)) + (await usage(redis, due))) / count;
}

async function entryBytes(redis: Redis, url: string): Promise<number> {
  await redis.flushall();
  await prefillHotKeys(url, 'sizes', JOBS);
  const [, found] = await redis.scan('0', 'MATCH', 'sizes:{hot@*', 'COUNT', 1_000);
  const entries = found.filter((name) => !name.endsWith(':lock'));
  const sizes = await Promise.all(entries.map((name) => usage(redis, name)));
  return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}

async function jobBytes(redis: Redis, keysPerJob: 1 | 100): Promise<number> {
  await redis.flushall();
  const queue = new RefreshQueue(redis, new Keys('sizes'), hot);
  const nowMs = Date.now();
  await queue.enqueue([refresh('first', true)], { nowMs, deadlineAtMs: nowMs + 10_000 });
  const before = await usedBytes(redis);
  for (let from = 0; from < JOBS; from += BULK) {
    const bulk = Array.from({ length: BULK * keysPerJob }, (_, at) =>
      refresh(`sku-${String(from * keysPerJob + at).padStart(6, '0')}`, keysPerJob === 1),
    );
    await queue.enqueue(bulk, { nowMs, deadlineAtMs: nowMs + 10_000 });
  }
  const bytes = (await usedBytes(redis)) - before;
  const jobs = (await redis.keys('{sizes:hot}:hot:[0-9]*')).length - 1;
  await queue.close();
  return bytes / jobs;
}

function refresh(key: string, isAlone: boolean): Refresh {
  const nowMs = Date.now();
  return {
    key,
    seenCreatedAtMs: nowMs,
    logHeat: 1.234567,
    unreadLives: 0,
    expiresAtMs: nowMs + 5_000,
    isAlone,
  };
}

async function usage(redis: Redis, name: string): Promise<number> {
  const bytes = await redis.memory('USAGE', name, 'SAMPLES', 0);
  return Number(bytes);
}

async function usedBytes(redis: Redis): Promise<number> {
  const [, bytes] = /used_memory:(\d+)/.exec(await redis.info('memory')) ?? [];
  return Number(bytes);
}

const options = benchCommand('sizes', 'Bytes of Redis memory by what is kept.', 1)
  .option('--keys <n>', 'tracked keys', wholeNumberFrom(1_000), 100_000)
  .parse()
  .opts<SizeOptions>();
const server = await startEmbeddedRedis();
const redis = new Redis(server.url);
try {
  const sizes: Record<string, number> = {};
  for (const [name, text] of Object.entries(KEY_TEXTS)) {
    sizes[`tracked key, ${name}`] = await trackedBytes(redis, options.keys, text);
  }
  sizes['entry, 10 characters of key, a number as its value'] = await entryBytes(redis, server.url);
  sizes['queued job of 1 key'] = await jobBytes(redis, 1);
  sizes['queued job of 100 keys'] = await jobBytes(redis, 100);
  for (const [name, bytes] of Object.entries(sizes)) say(`${Math.round(bytes)} bytes  ${name}`);
  if (options.json) say(JSON.stringify(sizes));
} finally {
  redis.disconnect();
  await server.close();
}
