import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeEach, expect, test } from 'vitest';
import { halfLifeMs } from '../../src/policy/heat.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { TrackedKeys } from '../../src/simulate/tracked-keys.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 60_000;
const HALF_LIFE_MS = halfLifeMs(TTL_MS);
const LOADER = { name: 'item', version: 1, ttlMs: TTL_MS };
const CLAIM_TTL_MS = 2_000;
const LOOK_AHEAD_MS = TTL_MS / 2;
const KEYS = 3;

let redis: Redis;
beforeEach(() => {
  redis = connect();
});

/** A tracker by its scripts and a simulated one: every step is taken by both. */
class Pair {
  readonly #real = new Tracker(redis, new Keys(uniqueNamespace()), { ...LOADER, mostSkewMs: 1e15 });
  readonly #simulated = new TrackedKeys(KEYS, HALF_LIFE_MS);
  nowMs = 1_000_000;

  async read(key: number, reads: number, leftMs: number): Promise<void> {
    const at = { nowMs: this.nowMs, lookAheadMs: LOOK_AHEAD_MS };
    const expiresAtMs = this.nowMs + leftMs;
    await this.#real.record([{ key: String(key), reads, expiresAtMs }], at);
    this.#simulated.record(key, reads, { expiresAtMs, ...at });
  }

  async rearm(key: number, inMs: number): Promise<void> {
    const dueAtMs = this.nowMs + inMs;
    await this.#real.rearm([{ key: String(key), dueAtMs, failure: null }]);
    // Redis gives no due to a key that has none: it is re-armed only while it is claimed.
    if (this.#simulated.isTracked(key)) this.#simulated.setDue(key, dueAtMs);
  }

  async claim(): Promise<void> {
    const { nowMs } = this;
    const claim = await this.#real.claim({ nowMs, claimTtlMs: CLAIM_TTL_MS, limit: 100 });
    const claimed = new Map<string, number | null>();
    this.#simulated.claim(nowMs, nowMs + CLAIM_TTL_MS, (key, logHeat) => {
      claimed.set(String(key), logHeat);
    });
    expect([...claimed.keys()].sort()).toEqual(claim.keys.map(({ key }) => key).sort());
    for (const { key, logHeat } of claim.keys) {
      expect(claimed.get(key)).toBeCloseTo(logHeat ?? Number.NaN, 9);
    }
    expect(this.#simulated.nextDueAtMs).toBe(claim.nextDueAtMs ?? Number.POSITIVE_INFINITY);
    if (claim.bornAtMs !== null) expect(this.#simulated.ageMs(nowMs)).toBe(nowMs - claim.bornAtMs);
  }
}

type Step = (pair: Pair) => Promise<void>;

const key = fc.integer({ min: 0, max: KEYS - 1 });
/** Often shorter than a claim. */
const spanMs = fc.oneof(fc.integer({ min: 1, max: TTL_MS }), fc.integer({ min: 1, max: 1_500 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(key, fc.integer({ min: 1, max: 9 }), spanMs).map(
    ([key, reads, leftMs]) =>
      (pair: Pair) =>
        pair.read(key, reads, leftMs),
  ),
  fc.tuple(key, spanMs).map(
    ([key, inMs]) =>
      (pair: Pair) =>
        pair.rearm(key, inMs),
  ),
  fc.constant((pair: Pair) => pair.claim()),
);
/** Each so long after the one before; no key fades. */
const course = fc.array(fc.tuple(spanMs, step), { minLength: 10, maxLength: 30 });

test('the simulated tracker has the heats and dues that the scripts give a real one', async () => {
  await fc.assert(
    fc.asyncProperty(course, async (steps) => {
      const pair = new Pair();
      for (const [pauseMs, take] of steps) {
        pair.nowMs += pauseMs;
        await take(pair);
      }
    }),
    { numRuns: 100 },
  );
});
