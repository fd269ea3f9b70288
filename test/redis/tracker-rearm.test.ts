import type { Redis } from 'ioredis';
import { beforeEach, expect, test } from 'vitest';
import { fadedBelow, halfLifeMs } from '../../src/policy/heat.ts';
import { Keys, type TrackerKeys } from '../../src/redis/keys.ts';
import type { Failure } from '../../src/redis/tracked-key.ts';
import { type Rearmed, Tracker } from '../../src/redis/tracker.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 60_000;
const NOW_MS = 1_790_000_000_000;
/** Its clock is the test's. */
const LOADER = { name: 'item', version: 1, ttlMs: TTL_MS, mostSkewMs: 1e15 };
const AT = { nowMs: NOW_MS, lookAheadMs: TTL_MS / 2 };
const CLAIM = { nowMs: NOW_MS, claimTtlMs: 2_000, limit: 1_000 };

let redis: Redis;
let tracker: Tracker;
let names: TrackerKeys;
beforeEach(() => {
  redis = connect();
  const keys = new Keys(uniqueNamespace());
  names = keys.tracker(LOADER, halfLifeMs(TTL_MS));
  tracker = new Tracker(redis, keys, LOADER);
});

/** Reads keys that expire now, so that they are due, and claims them. */
async function claimed(...keys: string[]): Promise<void> {
  await tracker.record(
    keys.map((key) => ({ key, reads: 2, expiresAtMs: NOW_MS })),
    AT,
  );
  await tracker.claim(CLAIM);
}

async function dueOf(key: string): Promise<number | null> {
  const score = await redis.zscore(names.due, key);
  return score === null ? null : Number(score);
}

function landed(key: string, dueAtMs: number): Rearmed {
  return { key, dueAtMs, failure: null };
}

function failed(key: string, failure: Partial<Failure> = {}): Rearmed {
  const retryAtMs = NOW_MS + 500;
  return {
    key,
    dueAtMs: retryAtMs,
    failure: { attempts: 1, error: 'down', retryAtMs, ...failure },
  };
}

test('gives a key that landed its next look, and clears its failures', async () => {
  await claimed('a');
  await tracker.rearm([failed('a', { attempts: 3 })]);
  expect(await tracker.failedAttempts(['a', 'b'])).toEqual([3, 0]);

  await tracker.rearm([landed('a', NOW_MS + 30_000.9)]);

  expect(await dueOf('a')).toBe(NOW_MS + 30_000);
  expect(await tracker.failedAttempts(['a'])).toEqual([0]);
});

test('gives a key that failed its backoff, which reads do not bring forward', async () => {
  await claimed('a');

  await tracker.rearm([failed('a')]);
  await tracker.record([{ key: 'a', reads: 5, expiresAtMs: NOW_MS + 100 }], AT);

  expect(await dueOf('a')).toBe(NOW_MS + 500.25);
});

test('untracks a key of which nothing was found', async () => {
  await claimed('a');

  await tracker.rearm([{ key: 'a', dueAtMs: null, failure: null }]);

  expect(await dueOf('a')).toBeNull();
});

test('never brings back a key that nobody tracks any more', async () => {
  await claimed('a');
  await redis.zrem(names.due, 'gone');

  await tracker.rearm([landed('gone', NOW_MS + 1), failed('lost'), landed('a', NOW_MS + 2)]);

  expect(await redis.zrange(names.due, '0', '-1')).toEqual(['a']);
});

test('keeps at most 10,000 failures, and goes on counting those it has', async () => {
  const failure = JSON.stringify({ attempts: 1, error: 'down', retryAtMs: NOW_MS });
  const full = Array.from({ length: 10_000 }, (_, n) => [`key-${n}`, failure]);
  await redis.hset(names.failing, Object.fromEntries(full));

  await tracker.rearm([failed('one more'), failed('key-7', { attempts: 2 })]);

  expect(await redis.hlen(names.failing)).toBe(10_000);
  expect(await tracker.failedAttempts(['one more', 'key-7'])).toEqual([0, 2]);
});

test('drops the failures of a key that is forgotten', async () => {
  await claimed('a');
  await tracker.rearm([failed('a')]);
  const claim = await tracker.claim({ ...CLAIM, nowMs: NOW_MS + 1_000 });

  await tracker.settle(claim, new Map([['a', null]]));

  expect(await redis.exists(names.failing, names.due)).toBe(0);
});

test('trims faded keys chunk by chunk, and tells when more may follow', async () => {
  const faded = fadedBelow({ nowMs: NOW_MS, halfLifeMs: tracker.halfLifeMs });
  const cold = Array.from({ length: 1_001 }, (_, n) => [faded - 1, `cold-${n}`]).flat();
  await claimed('hot', 'cold-0');
  await redis.zadd(names.heat, ...cold);

  expect(await tracker.trim(NOW_MS, 1_000_000)).toBe(true);
  expect(await redis.zcard(names.heat)).toBe(2);
  expect(await tracker.trim(NOW_MS, 1_000_000)).toBe(false);

  expect(await redis.zrange(names.heat, '0', '-1')).toEqual(['hot']);
  expect(await redis.zrange(names.due, '0', '-1')).toEqual(['hot']);
});

test('trims to nine tenths of the limit, coldest first', async () => {
  const keys = Array.from({ length: 21 }, (_, n) => `key-${n}`);
  const records = keys.map((key, n) => ({ key, reads: n + 2, expiresAtMs: NOW_MS + TTL_MS }));
  await tracker.record(records, AT);

  await tracker.trim(NOW_MS, 21);
  expect(await redis.zcard(names.heat)).toBe(21);
  await tracker.trim(NOW_MS, 20);

  expect(await redis.zrange(names.heat, '0', '-1')).toEqual(keys.slice(3));
  expect((await redis.zrange(names.due, '0', '-1')).sort()).toEqual(keys.slice(3).sort());
});

test('lets every key of the tracker expire, after each of its steps', async () => {
  const seconds = (20 * halfLifeMs(TTL_MS)) / 1_000;
  const lives = (): Promise<number[]> =>
    Promise.all(Object.values(names).map((name: string) => redis.ttl(name)));
  const areBounded = (ttls: readonly number[]): boolean =>
    ttls.every((ttl) => ttl === -2 || (ttl > seconds - 10 && ttl <= seconds));

  await claimed('a', 'b', 'c');
  expect(await lives()).toSatisfy(areBounded);
  await tracker.rearm([failed('a'), landed('b', NOW_MS + 1)]);
  expect(await lives()).toSatisfy(areBounded);
  const claim = await tracker.claim({ ...CLAIM, nowMs: NOW_MS + 5_000 });
  await tracker.settle(claim, new Map([['a', NOW_MS + 9_000]]));
  await tracker.trim(NOW_MS, 2);
  const left = await lives();
  expect(left).toSatisfy(areBounded);
  expect(left.filter((ttl) => ttl > 0)).toHaveLength(Object.keys(names).length - 1); // it is not full
});
