import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { Cancellation } from '../../src/core/cancellation.ts';
import { Events } from '../../src/core/events.ts';
import type { RateLimit } from '../../src/core/sliding-window.ts';
import { waitUnlessAborted } from '../../src/core/wait.ts';
import { Keys, type LimitKeys } from '../../src/redis/keys.ts';
import { scriptClient } from '../../src/redis/scripts.ts';
import { SlidingWindowLimiter } from '../../src/redis/sliding-window-limiter.ts';
import { commandCalls, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const LIMIT = { max: 5, perMs: 400 };
const one = { permits: 1, maxWaitMs: 0 };
const patient = { permits: 1, maxWaitMs: 60_000 };

function open(redis: Redis, limit: RateLimit = LIMIT, namespace: string = uniqueNamespace()) {
  const keys = new Keys(namespace).limit({ name: 'item', version: 1 }, limit);
  const events = new Events();
  const parts = { scripts: scriptClient(redis), keys, limit, events };
  return { limiter: new SlidingWindowLimiter(parts), keys, events, namespace };
}

/** Waits as a caller does. */
function pass(ms: number): Promise<void> {
  return waitUnlessAborted(ms, new Cancellation());
}

async function serverUs(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1e6 + Number(micros);
}

const SOURCE = readFileSync(
  new URL('../../src/redis/lua/take-permit.lua', import.meta.url),
  'utf8',
);

/** A permit by the script itself, with the instant it was granted for, in µs; null: refused. */
async function grantOf(redis: Redis, keys: LimitKeys, maxWaitUs: number): Promise<number | null> {
  const { grants, clock } = keys;
  const args = [1, LIMIT.max, LIMIT.perMs * 1_000, maxWaitUs];
  const transaction = redis.multi().eval(SOURCE, 2, grants, clock, ...args);
  const replies = (await transaction.lindex(grants, -1).exec()) ?? [];
  const [[, granted], [, instant]] = replies as [[null, number[]], [null, string]];
  return granted[0] === 1 ? Number(instant) : null;
}

describe('permits of one limit', () => {
  test('never are more than max in any window, to the microsecond, however many take them', async () => {
    const namespace = uniqueNamespace();
    const takers = Array.from({ length: 8 }, () => {
      const redis = connect();
      return { redis, keys: open(redis, LIMIT, namespace).keys };
    });
    const grants: number[] = [];
    const endAtMs = performance.now() + 5 * LIMIT.perMs;
    await Promise.all(
      takers.map(async ({ redis, keys }, at) => {
        while (performance.now() < endAtMs) {
          const grant = await grantOf(redis, keys, at % 2 === 0 ? 0 : 20_000);
          if (grant !== null) grants.push(grant);
        }
      }),
    );
    grants.sort((a, b) => a - b);
    const spans = grants.slice(LIMIT.max).map((grant, at) => grant - (grants[at] ?? 0));
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(LIMIT.perMs * 1_000);
    // Asked without pause, it leaves no room for one more either.
    expect(grants.length).toBeGreaterThanOrEqual(5 * LIMIT.max);
    expect(Math.max(...spans)).toBeLessThan(LIMIT.perMs * 1_000 * 1.25);
  });

  test('that must be waited for are reserved in the order of asking', async () => {
    const redis = connect();
    const { limiter, keys } = open(redis);
    const permits = await Promise.all(
      Array.from({ length: 2 * LIMIT.max }, () => limiter.take(patient)),
    );
    expect(permits.every(({ isGranted }) => isGranted)).toBe(true);
    expect(permits.map(({ remaining }) => remaining)).toEqual([4, 3, 2, 1, 0, 0, 0, 0, 0, 0]);
    expect(permits.slice(0, 5).map(({ waitMs }) => waitMs)).toEqual([0, 0, 0, 0, 0]);
    for (const { waitMs } of permits.slice(5)) {
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(LIMIT.perMs);
    }
    const grants = await Promise.all(
      Array.from({ length: 2 * LIMIT.max }, () => grantOf(redis, keys, 60e6)),
    );
    expect(grants).toEqual([...grants].sort((a, b) => Number(a) - Number(b)));
  });

  test('that are refused change nothing', async () => {
    const redis = connect();
    const { limiter, keys, namespace } = open(redis);
    for (let permit = 0; permit < LIMIT.max; permit++) await limiter.take(one);
    const state = (): Promise<unknown> =>
      Promise.all([redis.lrange(keys.grants, 0, -1), redis.get(keys.clock)]);
    const before = await state();

    const other = open(redis, LIMIT, namespace).limiter;
    expect(await limiter.take({ permits: 2, maxWaitMs: 10 })).toMatchObject({ isGranted: false });
    expect(await other.take(one)).toMatchObject({ isGranted: false });

    expect(await state()).toEqual(before);
  });

  test('are to be had when a refusal said, and not before', async () => {
    const redis = connect();
    const { limiter, namespace } = open(redis);
    for (let permit = 0; permit < LIMIT.max; permit++) await limiter.take(one);
    const refused = await limiter.take(one);
    expect(refused).toMatchObject({ isGranted: false, remaining: 0 });
    expect(refused.waitMs).toBeGreaterThan(0);
    expect(refused.waitMs).toBeLessThanOrEqual(LIMIT.perMs);

    const other = open(redis, LIMIT, namespace).limiter;
    expect(await other.take({ permits: 1, maxWaitMs: 1 })).toMatchObject({ isGranted: false });
    await pass(refused.waitMs);
    expect(await limiter.take(one)).toMatchObject({ isGranted: true, waitMs: 0 });
  });

  test('taken together are granted together, when there is room for all', async () => {
    const { limiter } = open(connect(), { max: 2_500, perMs: 60_000 });
    expect(await limiter.take({ permits: 2_400, maxWaitMs: 0 })).toMatchObject({ remaining: 100 });
    const refused = await limiter.take({ permits: 101, maxWaitMs: 0 });
    expect(refused).toMatchObject({ isGranted: false, remaining: 100 });
    expect(await limiter.take({ permits: 100, maxWaitMs: 0 })).toMatchObject({ remaining: 0 });
    expect(await limiter.take({ permits: 2_500, maxWaitMs: 60_000 })).toMatchObject({
      isGranted: true,
    });
  });

  test('leave nothing behind on the server', async () => {
    const redis = connect();
    const { limiter, keys } = open(redis);
    await Promise.all(Array.from({ length: 7 }, () => limiter.take(patient)));
    expect(await redis.llen(keys.grants)).toBe(LIMIT.max);
    await expect.poll(() => redis.exists(keys.grants, keys.clock), { timeout: 5_000 }).toBe(0);
  });
});

describe('a server clock that steps', () => {
  const HOUR_US = 3_600e6;

  /** What stands on the server after its clock was an hour ahead, and the window full. */
  async function plantFuture(redis: Redis, keys: LimitKeys): Promise<void> {
    const aheadUs = (await serverUs(redis)) + HOUR_US;
    const grants = Array.from({ length: LIMIT.max }, (_, at) => String(aheadUs + at));
    await redis.rpush(keys.grants, ...grants);
    await redis.set(keys.clock, `${aheadUs + LIMIT.max} 0`);
  }

  test('back makes nobody wait longer than before the step', async () => {
    const redis = connect();
    const { limiter, keys } = open(redis);
    await plantFuture(redis, keys);
    const refused = await limiter.take(one);
    expect(refused.isGranted).toBe(false);
    expect(refused.waitMs).toBeLessThanOrEqual(LIMIT.perMs);
    const reserved = await limiter.take(patient);
    expect(reserved).toMatchObject({ isGranted: true });
    await pass(reserved.waitMs);
    expect(await limiter.take(one)).toMatchObject({ isGranted: true, waitMs: 0 });
  });

  test('back does not forget what was granted before it', async () => {
    const redis = connect();
    const { keys } = open(redis);
    await plantFuture(redis, keys);
    const grants: number[] = (await redis.lrange(keys.grants, 0, -1)).map(Number);
    for (let take = 0; take < 2 * LIMIT.max; take++) {
      const grant = await grantOf(redis, keys, 60e6);
      grants.push(grant ?? 0);
    }
    const spans = grants.slice(LIMIT.max).map((grant, at) => grant - (grants[at] ?? 0));
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(LIMIT.perMs * 1_000);
  });
});

describe('a process that knows the window full', () => {
  test('does not ask Redis again before that can help', async () => {
    const server = await ownServer();
    const redis = connect(server.url);
    const { limiter } = open(redis, { max: 2, perMs: 60_000 });
    for (let take = 0; take < 1_000; take++) await limiter.take(one);
    expect((await commandCalls(redis)).llen).toBe(2); // One in each run of the script.
    expect(await limiter.take(patient)).toMatchObject({ isGranted: true });
  });
});

describe('without Redis', () => {
  test('a process keeps to the limit by itself, and says why', async () => {
    const server = await ownServer();
    const redis = connect(server.url);
    redis.options.enableOfflineQueue = false;
    redis.on('error', () => undefined);
    const { limiter, events } = open(redis);
    const failures = recorded(events, 'redis:failed');
    const closed = new Promise((resolve) => redis.once('close', resolve));
    await server.close();
    await closed;

    const permits = await Promise.all(Array.from({ length: 8 }, () => limiter.take(one)));

    expect(permits.filter(({ isGranted }) => isGranted)).toHaveLength(LIMIT.max);
    expect(failures).toHaveLength(8);
    expect(failures[0]).toMatchObject({ role: 'queue' });
  });

  test('as with a silent one: it waits for no answer longer than 250 ms', async () => {
    const server = await ownServer();
    const redis = connect(server.url);
    const { limiter, events } = open(redis);
    await limiter.take(one);
    const failures = recorded(events, 'redis:failed');
    await connect(server.url).client('PAUSE', 1_500);
    const startedAtMs = performance.now();

    expect(await limiter.take(one)).toMatchObject({ isGranted: true });

    expect(performance.now() - startedAtMs).toBeLessThan(600);
    expect(failures).toEqual([
      { role: 'queue', error: expect.objectContaining({ code: 'REDIS_UNAVAILABLE' }) },
    ]);
  });
});
