import { describe, expect, test } from 'vitest';
import { addReads, readRate } from '../../../src/policy/heat.ts';
import { type PlanHeader, type PlanInput, plan } from '../../../src/policy/plan.ts';

const TTL_MS = 60_000;
const H = 4 * TTL_MS;
const COMMIT_MS = 1_750_000_000_000;
const EXPIRES_AT_MS = COMMIT_MS + TTL_MS;
/** Lead = 200 + 4·50 + tick 250; the early part is at most a tenth of the ttl. */
const LATEST_MS = EXPIRES_AT_MS - 650;
const EARLIEST_MS = LATEST_MS - 6_000;

const settings = {
  ttlMs: TTL_MS,
  livesVary: false,
  halfLifeMs: H,
  tickMs: 250,
  minLeadMs: 0,
  beta: 1,
  spread: 0.1,
  threshold: 8,
};

function heat(reads: number, atMs: number): number {
  return addReads(null, reads, { atMs, halfLifeMs: H });
}

const header: PlanHeader = {
  createdAtMs: COMMIT_MS - 200,
  expiresAtMs: EXPIRES_AT_MS,
  load: { meanMs: 200, deviationMs: 50 },
  logHeat: heat(50, COMMIT_MS),
  unreadLives: 0,
  invalidated: false,
};

/** A hot key whose entry is about to expire and was read in this life. */
const hot: PlanInput = {
  header,
  logHeat: heat(100, LATEST_MS),
  key: 'sku-42',
  nowMs: LATEST_MS,
  trackerAgeMs: 30 * H,
  settings,
  loaderLoad: { meanMs: 80, deviationMs: 10 },
  wait: null,
  reloadedWithinTtl: false,
};

/** The instant from which the key is refreshed rather than waited for, by asking plan itself. */
function refreshAtMs(input: PlanInput): number {
  const early = plan({ ...input, nowMs: COMMIT_MS });
  return early.kind === 'wait' ? early.untilMs : Number.NaN;
}

describe('a missing entry', () => {
  const missing: PlanInput = { ...hot, header: null };

  test('is reloaded when its key is hot, worth what its loader usually takes', () => {
    expect(plan(missing)).toEqual({
      kind: 'refresh',
      valueReads: expect.closeTo(readRate(100, H) * 80, 6),
      unreadLives: 0,
      expiresAtMs: 0,
    });
  });

  test('is forgotten when its key is cold or not tracked', () => {
    const dropped = { kind: 'drop', why: 'missing' };
    expect(plan({ ...missing, logHeat: heat(7.9, LATEST_MS) })).toEqual(dropped);
    expect(plan({ ...missing, logHeat: null })).toEqual(dropped);
    expect(plan({ ...missing, logHeat: null, reloadedWithinTtl: true })).toEqual(dropped);
  });

  test('waits half a ttl when it was already reloaded within one', () => {
    const waiting = plan({ ...missing, nowMs: LATEST_MS + 0.4, reloadedWithinTtl: true });
    expect(waiting).toEqual({ kind: 'wait', untilMs: LATEST_MS + TTL_MS / 2 + 1 });
  });

  test('is worth more the hotter its key, even while nobody knows how long a load takes', () => {
    const untimed = { ...missing, loaderLoad: null };
    const warm = plan({ ...untimed, logHeat: heat(10, LATEST_MS) });
    const hotter = plan({ ...untimed, logHeat: heat(30, LATEST_MS) });
    expect(warm).toMatchObject({ valueReads: expect.closeTo(readRate(10, H), 9) });
    expect(hotter).toMatchObject({ valueReads: expect.closeTo(readRate(30, H), 9) });
  });
});

describe('an invalidated entry', () => {
  const invalidated = { ...hot, nowMs: COMMIT_MS, header: { ...header, invalidated: true } };

  test('is refreshed at once when its key is hot, whatever is left of its life', () => {
    const plans = plan(invalidated);
    expect(plans).toMatchObject({ kind: 'refresh', unreadLives: 0, expiresAtMs: COMMIT_MS });
  });

  test('is refreshed however often it was reloaded within a ttl', () => {
    expect(plan({ ...invalidated, reloadedWithinTtl: true }).kind).toBe('refresh');
  });

  test('is left to its readers when its key is cold', () => {
    expect(plan({ ...invalidated, logHeat: null })).toEqual({ kind: 'drop', why: 'cold' });
  });

  test('of a life that nobody read does not count as one more, nor as read', () => {
    const unread = { ...invalidated.header, logHeat: hot.logHeat ?? 0 };
    const unreadFor = (unreadLives: number) =>
      plan({ ...invalidated, header: { ...unread, unreadLives } });
    expect(unreadFor(2)).toMatchObject({ kind: 'refresh', unreadLives: 2 });
    expect(unreadFor(3)).toEqual({ kind: 'drop', why: 'unread' });
  });
});

describe('the planned time', () => {
  test('lies a lead and an early part of at most the spread before expiry', () => {
    for (let index = 0; index < 500; index++) {
      const atMs = refreshAtMs({ ...hot, key: `sku-${index}` });
      expect(atMs).toBeGreaterThanOrEqual(EARLIEST_MS);
      expect(atMs).toBeLessThanOrEqual(LATEST_MS);
      expect(Number.isInteger(atMs)).toBe(true);
    }
  });

  test('differs from key to key and from life to life', () => {
    const keys = Array.from({ length: 100 }, (_, index) =>
      refreshAtMs({ ...hot, key: `${index}` }),
    );
    expect(new Set(keys).size).toBeGreaterThan(95);
    const nextLife = { ...header, expiresAtMs: EXPIRES_AT_MS + TTL_MS };
    expect(refreshAtMs({ ...hot, header: nextLife }) - TTL_MS).not.toBe(refreshAtMs(hot));
  });

  test('is waited for even while the key is cold, as heat may grow', () => {
    const cold = { ...hot, logHeat: heat(1, COMMIT_MS), nowMs: COMMIT_MS };
    expect(plan(cold).kind).toBe('wait');
    expect(plan({ ...cold, logHeat: null }).kind).toBe('wait');
  });

  test('has come when the next tick would be late', () => {
    // A steady heat, so that both looks see the same rate.
    const atMs = refreshAtMs({ ...hot, logHeat: heat(100, COMMIT_MS) });
    const steady = (nowMs: number) => plan({ ...hot, logHeat: heat(100, nowMs), nowMs });
    expect(steady(atMs - 252)).toEqual({ kind: 'wait', untilMs: atMs });
    expect(steady(atMs - 250).kind).toBe('refresh');
  });

  test('is earlier by the queue wait', () => {
    const wait = { meanMs: 1_000, deviationMs: 100 };
    expect(refreshAtMs({ ...hot, wait })).toBe(refreshAtMs(hot) - 1_400);
  });

  test('is earlier by the load time of the loader when the entry itself was never timed', () => {
    const untimed = { ...header, load: { meanMs: 0, deviationMs: 0 } };
    const cold = { ...hot, logHeat: null };
    expect(refreshAtMs({ ...cold, header: untimed })).toBe(refreshAtMs(cold) + 400 - 120);
  });
});

describe('the planned time where lives vary', () => {
  const vary = { ...settings, livesVary: true };
  /** Lead = 200 + 4·50 + tick 250. */
  const LEAD_MS = 650;
  const living = (lifeMs: number): PlanInput => ({
    ...hot,
    settings: vary,
    header: { ...header, expiresAtMs: COMMIT_MS + lifeMs },
  });

  test('of a life that is as long as the ttl is the same', () => {
    expect(refreshAtMs(living(TTL_MS))).toBe(refreshAtMs(hot));
  });

  test('lies within a tenth of a short life before the lead, and not at its beginning', () => {
    for (let index = 0; index < 200; index++) {
      const atMs = refreshAtMs({ ...living(5_000), key: `sku-${index}` });
      expect(atMs).toBeGreaterThanOrEqual(COMMIT_MS + 5_000 - LEAD_MS - 500);
      expect(atMs).toBeLessThanOrEqual(COMMIT_MS + 5_000 - LEAD_MS);
    }
  });

  test('leaves a tenth of a life alone that is shorter than its lead', () => {
    const short = living(300);
    const input = { ...short, settings: { ...vary, tickMs: 10 } };
    expect(refreshAtMs(input)).toBe(COMMIT_MS + 30);
  });

  test('spreads over a tenth of a long life, not of the ttl', () => {
    const HOUR_MS = 3_600_000;
    const earlyMs = Array.from({ length: 200 }, (_, index) => {
      const atMs = refreshAtMs({ ...living(HOUR_MS), key: `sku-${index}` });
      return COMMIT_MS + HOUR_MS - LEAD_MS - atMs;
    });
    expect(Math.max(...earlyMs)).toBeGreaterThan(0.09 * HOUR_MS);
    expect(Math.max(...earlyMs)).toBeLessThanOrEqual(0.1 * HOUR_MS);
  });

  test('gives a slow load of a long life a lead longer than the ttl', () => {
    const load = { meanMs: 120_000, deviationMs: 0 };
    const slow = { ...header, load, createdAtMs: COMMIT_MS - 120_000 };
    const input = { ...living(3_600_000), header: { ...slow, expiresAtMs: COMMIT_MS + 3_600_000 } };
    expect(refreshAtMs(input)).toBeLessThanOrEqual(COMMIT_MS + 3_600_000 - 120_250);
  });

  test('is decided by heat as ever: that is counted by the ttl', () => {
    const due = { ...living(5_000), nowMs: COMMIT_MS + 4_500 };
    expect(plan({ ...due, logHeat: heat(7.9, due.nowMs) })).toEqual({ kind: 'drop', why: 'cold' });
    expect(plan({ ...due, logHeat: heat(8.1, due.nowMs) })).toMatchObject({ kind: 'refresh' });
  });
});

describe('at the planned time', () => {
  test('a hot key that was read is refreshed, worth the reads that would wait', () => {
    expect(plan({ ...hot, header: { ...header, unreadLives: 1 } })).toEqual({
      kind: 'refresh',
      valueReads: expect.closeTo(readRate(100, H) * 200, 6),
      unreadLives: 0,
      expiresAtMs: EXPIRES_AT_MS,
    });
  });

  test('a key below the threshold is dropped as cold', () => {
    const dropped = { kind: 'drop', why: 'cold' };
    expect(plan({ ...hot, logHeat: heat(7.99, LATEST_MS) })).toEqual(dropped);
    expect(plan({ ...hot, logHeat: null })).toEqual(dropped);
    expect(plan({ ...hot, logHeat: heat(8.01, LATEST_MS) }).kind).toBe('refresh');
  });

  test('a young tracker asks for fewer reads, as its heats are still short of them', () => {
    const lukewarm = { ...hot, logHeat: heat(4.1, LATEST_MS) };
    expect(plan({ ...lukewarm, trackerAgeMs: H }).kind).toBe('refresh');
    expect(plan({ ...lukewarm, trackerAgeMs: 2 * H })).toEqual({ kind: 'drop', why: 'cold' });
  });

  test('a key may go unread for three lives in a row, and is then dropped', () => {
    const { logHeat } = header;
    for (const unreadLives of [0, 1, 2]) {
      const unread = { ...hot, logHeat, header: { ...header, unreadLives } };
      expect(plan(unread)).toMatchObject({ kind: 'refresh', unreadLives: unreadLives + 1 });
    }
    const dead = { ...hot, logHeat, header: { ...header, unreadLives: 3 } };
    expect(plan(dead)).toEqual({ kind: 'drop', why: 'unread' });
  });

  test('a last digit of difference is not a read', () => {
    const logHeat = header.logHeat + 5e-10;
    expect(plan({ ...hot, logHeat })).toMatchObject({ kind: 'refresh', unreadLives: 1 });
  });

  test('a life that a reader loaded counts as read', () => {
    const loadedByReader = { ...header, logHeat: Number.NaN };
    expect(plan({ ...hot, header: loadedByReader })).toMatchObject({
      kind: 'refresh',
      unreadLives: 0,
    });
  });

  test('heat that was lost and rebuilt by reads counts as read', () => {
    const before = { ...header, logHeat: heat(100_000, COMMIT_MS) };
    expect(plan({ ...hot, header: before })).toMatchObject({ kind: 'refresh', unreadLives: 0 });
  });

  test('an expired entry is decided in the same way', () => {
    const nowMs = EXPIRES_AT_MS + 5_000;
    expect(plan({ ...hot, nowMs })).toMatchObject({ kind: 'refresh', expiresAtMs: EXPIRES_AT_MS });
    expect(plan({ ...hot, nowMs, logHeat: null })).toEqual({ kind: 'drop', why: 'cold' });
  });
});
