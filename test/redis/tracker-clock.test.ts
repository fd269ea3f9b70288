import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createScheduler, defineLoader } from '../../src/index.ts';
import { halfLifeMs, recentReads } from '../../src/policy/heat.ts';
import { Keys, type TrackerKeys } from '../../src/redis/keys.ts';
import { ServerClock } from '../../src/redis/server-clock.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { nextEvent } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 60_000;
const HOUR_MS = 3_600_000;
const WRONG = [
  ['an hour fast', HOUR_MS],
  ['an hour slow', -HOUR_MS],
] as const;
const LOADER = { name: 'item', version: 1, ttlMs: TTL_MS };
const halfLife = halfLifeMs(TTL_MS);

let redis: ReturnType<typeof connect>;
let tracker: Tracker;
let names: TrackerKeys;
beforeEach(async () => {
  redis = connect();
  const keys = new Keys(uniqueNamespace());
  tracker = new Tracker(redis, keys, LOADER);
  names = keys.tracker(LOADER, halfLife);
  const expiresAtMs = Date.now() + TTL_MS;
  const records = [
    { key: 'a', reads: 20, expiresAtMs },
    { key: 'b', reads: 10, expiresAtMs },
  ];
  await tracker.record(records, { nowMs: Date.now(), lookAheadMs: TTL_MS / 2 });
});

async function dueInMs(key: string): Promise<number> {
  return Number(await redis.zscore(names.due, key)) - Date.now();
}

async function readsOf(key: string): Promise<number> {
  const logHeat = Number(await redis.zscore(names.heat, key));
  return recentReads(logHeat, { nowMs: Date.now(), halfLifeMs: halfLife });
}

test.each(WRONG)(
  'reads that a process with a clock %s records count as of now',
  async (_, offMs) => {
    const nowMs = Date.now() + offMs;
    const records = ['a', 'c'].map((key) => ({ key, reads: 10, expiresAtMs: nowMs + TTL_MS }));
    await tracker.record(records, { nowMs, lookAheadMs: TTL_MS / 2 });

    expect(await readsOf('a')).toBeGreaterThan(28);
    expect(await readsOf('a')).toBeLessThan(31);
    expect(await readsOf('c')).toBeGreaterThan(9);
    expect(await readsOf('c')).toBeLessThan(11);
  },
);

test('a fast clock claims nothing that is not due, and a claim no longer than it may', async () => {
  const fast = { nowMs: Date.now() + HOUR_MS, claimTtlMs: 2_000, limit: 10 };
  expect((await tracker.claim(fast)).keys).toEqual([]);
  await redis.zadd(names.due, Date.now() - 5, 'a');

  const claim = await tracker.claim(fast);
  expect(claim.keys.map(({ key }) => key)).toEqual(['a']);
  expect(await redis.zscore(names.due, 'a')).toBe(String(claim.untilMs));
  expect(claim.untilMs % 1).toBe(0.5);
  expect(await dueInMs('a')).toBeLessThan(2_000 + 2_000 + 1);
});

test('a slow clock does not miss what is due for more than two seconds', async () => {
  await redis.zadd(names.due, Date.now() - 2_500, 'a');
  const slow = { nowMs: Date.now() - HOUR_MS, claimTtlMs: 2_000, limit: 10 };
  expect((await tracker.claim(slow)).keys).toHaveLength(1);
});

test.each(WRONG)('keys woken or looked at by a clock %s are due now', async (_, offMs) => {
  await tracker.wakeHottest(Date.now() + offMs, 1);
  await tracker.lookNow(['a', 'b'], Date.now() + offMs);
  for (const key of ['a', 'b']) expect(Math.abs(await dueInMs(key))).toBeLessThan(5_000);
});

test('a clock that is days fast does not forget every key as faded', async () => {
  expect(await tracker.trim(Date.now() + 90 * 24 * HOUR_MS, 10)).toBe(false);
  expect(await tracker.count()).toBe(2);
});

test('woken keys come before all that was due already', async () => {
  await redis.zadd(names.due, Date.now() - HOUR_MS, 'old', Date.now() + HOUR_MS, 'b');
  await tracker.wakeHottest(Date.now(), 2);
  expect(await redis.zrange(names.due, 0, '-1')).toEqual(['a', 'b', 'old']);
});

test('after a step of the clock far dues are due at once, whatever they were, and near ones stay', async () => {
  const far = Date.now() + 2 * TTL_MS;
  const near = Date.now() + TTL_MS / 2;
  await redis.zadd(names.due, far, 'look', far + 0.5, 'claim', far + 0.25, 'backoff', near, 'near');
  expect(await tracker.pullBack(TTL_MS)).toBe(false);
  for (const key of ['look', 'claim', 'backoff']) {
    expect(await dueInMs(key)).toBeLessThan(100);
    expect(Number(await redis.zscore(names.due, key)) % 1).toBe(0);
  }
  expect(await redis.zscore(names.due, 'near')).toBe(String(near));
});

test('a scheduler that starts pulls back what no plan can have put so far off', async () => {
  const loader = defineLoader({ name: 'item', ttl: TTL_MS, load: async () => 1 });
  const namespace = uniqueNamespace();
  const { due } = new Keys(namespace).tracker(loader, halfLife);
  await redis.zadd(due, Date.now() + HOUR_MS, 'a');
  const scheduler = createScheduler({ redis: redisUrl(), namespace, loaders: [loader] });
  onTestFinished(() => scheduler.close());
  await nextEvent(scheduler, 'tick:completed', ({ claimed }) => claimed === 1);
});

test('a step of the server clock by over a second is told, its drift is not', async () => {
  const clock = new ServerClock(redis);
  onTestFinished(() => clock.close());
  let steps = 0;
  clock.onStep(() => void steps++);
  const time = redis.time.bind(redis);
  let offSeconds = 0;
  redis.time = async () => {
    const [seconds = 0, micros = 0] = await time();
    return [Number(seconds) + offSeconds, micros] as never;
  };
  await clock.measure();
  await clock.measure();
  expect(steps).toBe(0);
  offSeconds = -HOUR_MS / 1_000;
  await clock.measure();
  expect(steps).toBe(1);
  expect(Math.abs(clock.now() - (Date.now() - HOUR_MS))).toBeLessThan(5_000);
  await clock.measure();
  expect(steps).toBe(1);
});
