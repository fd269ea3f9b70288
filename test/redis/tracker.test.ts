import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, test } from 'vitest';
import { addReads, halfLifeMs, recentReads } from '../../src/policy/heat.ts';
import type { Claim } from '../../src/redis/claim.ts';
import { Keys, type TrackerKeys } from '../../src/redis/keys.ts';
import { type AccessRecord, Tracker } from '../../src/redis/tracker.ts';
import { commandCalls, ownServer } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 3_600_000;
const NOW_MS = 1_790_000_000_000;
/** Its clock is the test's. */
const LOADER = { name: 'item', version: 1, ttlMs: TTL_MS, mostSkewMs: 1e15 };
const AT = { nowMs: NOW_MS, lookAheadMs: TTL_MS / 2 };
const CLAIM_TTL_MS = 2_000;

interface Tracked {
  readonly redis: Redis;
  readonly tracker: Tracker;
  readonly names: TrackerKeys;
  /** Another process's tracker of the same loader. */
  readonly other: () => Tracker;
}

function track(redis: Redis): Tracked {
  const keys = new Keys(uniqueNamespace());
  const names = keys.tracker(LOADER, halfLifeMs(TTL_MS));
  const other = (): Tracker => new Tracker(connect(redisUrlOf(redis)), keys, LOADER);
  return { redis, tracker: new Tracker(redis, keys, LOADER), names, other };
}

function redisUrlOf({ options }: Redis): string {
  return `redis://${options.host}:${options.port}`;
}

function read(key: string, reads: number, expiresAtMs = NOW_MS + TTL_MS): AccessRecord {
  return { key, reads, expiresAtMs };
}

let tracked: Tracked;
let tracker: Tracker;
beforeEach(() => {
  tracked = track(connect());
  ({ tracker } = tracked);
});

function claimAt(nowMs: number, limit = 1_000): Promise<Claim> {
  return tracker.claim({ nowMs, claimTtlMs: CLAIM_TTL_MS, limit });
}

async function dueOf(key: string): Promise<number | null> {
  const score = await tracked.redis.zscore(tracked.names.due, key);
  return score === null ? null : Number(score);
}

/** Gives keys a due, whatever it is. */
async function plant(dues: Readonly<Record<string, number>>): Promise<void> {
  const records = Object.keys(dues).map((key) => read(key, 2));
  await tracker.record(records, AT);
  for (const [key, due] of Object.entries(dues))
    await tracked.redis.zadd(tracked.names.due, due, key);
}

describe('heat', () => {
  const batch = fc.record({
    afterMs: fc.integer({ min: 0, max: 2 * TTL_MS }),
    reads: fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 1, max: 50, noNaN: true })),
      { minKeys: 1 },
    ),
  });

  test('is what the policy reckons, in its order, for any batches of reads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 12 }), async (batches) => {
        const one = track(tracked.redis);
        const expected = new Map<string, number>();
        let atMs = NOW_MS;
        for (const { afterMs, reads } of batches) {
          atMs += afterMs;
          const at = { atMs, halfLifeMs: halfLifeMs(TTL_MS) };
          for (const [key, n] of Object.entries(reads)) {
            expected.set(key, addReads(expected.get(key) ?? null, n, at));
          }
          const records = Object.entries(reads).map(([key, n]) => read(key, n));
          await one.tracker.record(records, { ...AT, nowMs: atMs });
        }
        const flat = await one.redis.zrange(one.names.heat, '0', '-1', 'WITHSCORES');
        const stored = new Map(pairs(flat));
        expect(stored.size).toBe(expected.size);
        for (const [key, heat] of expected) {
          expect(Math.abs((stored.get(key) ?? 0) - heat), key).toBeLessThan(1e-9);
        }
        const now = { nowMs: atMs, halfLifeMs: halfLifeMs(TTL_MS) };
        const current = [...stored.values()].map((heat) => recentReads(heat, now));
        expect(current).toEqual([...current].sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  test('of 10,000 keys is recorded in calls of 500', async () => {
    const server = await ownServer();
    const own = track(connect(server.url));
    const records = Array.from({ length: 10_000 }, (_, n) => read(`key-${n}`, 2));

    await own.tracker.record(records, AT);

    expect(await own.redis.zcard(own.names.heat)).toBe(10_000);
    expect(await own.redis.zcard(own.names.due)).toBe(10_000);
    const { eval: sent = 0, evalsha = 0 } = await commandCalls(own.redis);
    expect(sent + evalsha).toBe(20);
  });
});

describe('the first look', () => {
  test('waits for a second read', async () => {
    await tracker.record([read('a', 1)], AT);
    expect(await dueOf('a')).toBeNull();

    await tracker.record([read('a', 1)], AT);
    expect(await dueOf('a')).toBe(NOW_MS + TTL_MS / 2);
  });

  test('comes at once where the entry expires within the look-ahead', async () => {
    await tracker.record([read('a', 2, NOW_MS + 1_000)], { ...AT, nowMs: NOW_MS + 0.7 });
    expect(await dueOf('a')).toBe(NOW_MS);
  });

  test('is not planned for a key without a known expiry', async () => {
    await tracker.record([read('a', 100, 0)], AT);
    expect(await dueOf('a')).toBeNull();
  });

  test('is planned once: later reads leave it where it is', async () => {
    await tracker.record([read('a', 2)], AT);
    await tracker.record([read('a', 9)], { nowMs: NOW_MS + 5_000, lookAheadMs: 1_000 });
    expect(await dueOf('a')).toBe(NOW_MS + TTL_MS / 2);
  });

  test('moves to now when it is later than the expiry that readers see', async () => {
    await plant({ a: NOW_MS + 60_000 });
    await tracker.record([read('a', 1, NOW_MS + 30_000)], AT);
    expect(await dueOf('a')).toBe(NOW_MS);
  });

  test.each([
    ['a claim', 0.5],
    ['a backoff', 0.25],
  ])('leaves %s where it is, though it is later than the expiry', async (_, fraction) => {
    await plant({ a: NOW_MS + 60_000 + fraction });
    await tracker.record([read('a', 1, NOW_MS + 30_000)], AT);
    expect(await dueOf('a')).toBe(NOW_MS + 60_000 + fraction);
  });
});

describe('a claim', () => {
  test('takes what is due, earliest first, up to the limit, and tells when the next is due', async () => {
    await plant({ late: NOW_MS - 1, early: NOW_MS - 9, later: NOW_MS, coming: NOW_MS + 7 });

    const claim = await claimAt(NOW_MS, 2);

    expect(claim.keys.map(({ key }) => key)).toEqual(['early', 'late']);
    expect(claim.nextDueAtMs).toBe(NOW_MS);
    expect(claim.untilMs).toBe(NOW_MS + CLAIM_TTL_MS + 0.5);
    expect(await dueOf('early')).toBe(claim.untilMs);
    expect(await dueOf('later')).toBe(NOW_MS);
  });

  test('answers the log-heat to the last digit, and null where it is lost', async () => {
    await plant({ a: NOW_MS, b: NOW_MS });
    await tracked.redis.zrem(tracked.names.heat, 'b');

    const { keys } = await claimAt(NOW_MS);

    const expected = addReads(null, 2, { atMs: NOW_MS, halfLifeMs: halfLifeMs(TTL_MS) });
    expect(keys.map(({ logHeat }) => logHeat)).toEqual([expected, null]);
  });

  test('gives each of 3,000 keys to one of three claimers', async () => {
    const keys = Array.from({ length: 3_000 }, (_, n) => `key-${n}`);
    await tracker.record(
      keys.map((key) => read(key, 2, NOW_MS)),
      AT,
    );
    const claimers = [tracked.other(), tracked.other(), tracked.other()];
    const at = { nowMs: NOW_MS, claimTtlMs: CLAIM_TTL_MS, limit: 100 };

    const claims = await Promise.all(
      claimers.flatMap((claimer) => Array.from({ length: 12 }, () => claimer.claim(at))),
    );

    const claimed = claims.flatMap((claim) => claim.keys.map(({ key }) => key));
    expect(claimed).toHaveLength(3_000);
    expect(new Set(claimed).size).toBe(3_000);
  });

  test('that ran out goes to the next claimer, flagged as lost', async () => {
    await plant({ a: NOW_MS });
    const first = await claimAt(NOW_MS);
    expect((await claimAt(NOW_MS + CLAIM_TTL_MS)).keys).toEqual([]);

    const second = await claimAt(first.untilMs + 1);

    expect(first.keys).toMatchObject([{ key: 'a', after: 'look' }]);
    expect(second.keys).toMatchObject([{ key: 'a', after: 'lost-claim' }]);
  });

  test('of an empty tracker is empty', async () => {
    expect(await claimAt(NOW_MS)).toMatchObject({ keys: [], nextDueAtMs: null });
  });
});

describe('settling', () => {
  test('sets the next due of a claimed key, or forgets it', async () => {
    await plant({ a: NOW_MS, b: NOW_MS });
    const claim = await claimAt(NOW_MS);

    await tracker.settle(
      claim,
      new Map([
        ['a', NOW_MS + 70.9],
        ['b', null],
      ]),
    );

    expect(await dueOf('a')).toBe(NOW_MS + 70);
    expect(await dueOf('b')).toBeNull();
  });

  test('leaves a key alone whose claim ran out and went to another', async () => {
    await plant({ a: NOW_MS, b: NOW_MS });
    const first = await claimAt(NOW_MS);
    const second = await claimAt(first.untilMs + 1);

    await tracker.settle(
      first,
      new Map([
        ['a', NOW_MS + 70],
        ['b', null],
      ]),
    );

    expect(await dueOf('a')).toBe(second.untilMs);
    expect(await dueOf('b')).toBe(second.untilMs);
  });

  test('does not bring back a key that was untracked meanwhile', async () => {
    await plant({ a: NOW_MS });
    const claim = await claimAt(NOW_MS);
    await tracked.redis.zrem(tracked.names.due, 'a');

    await tracker.settle(claim, new Map([['a', NOW_MS + 70]]));

    expect(await dueOf('a')).toBeNull();
  });
});

function pairs(flat: readonly string[]): [string, number][] {
  return flat.flatMap((key, at) => (at % 2 === 0 ? [[key, Number(flat[at + 1])]] : []));
}
