import { describe, expect, test } from 'vitest';
import { readRate } from '../../../src/policy/heat.ts';
import { type PlanInput, plan } from '../../../src/policy/plan.ts';
import {
  COMMIT_MS,
  EARLIEST_MS,
  EXPIRES_AT_MS,
  H,
  header,
  heat,
  hot,
  LATEST_MS,
  refreshAtMs,
  settings,
  TTL_MS,
} from '../../helpers/planning.ts';

describe('a missing entry', () => {
  const missing: PlanInput = { ...hot, header: null };

  test('is reloaded when its key is hot, worth what its loader usually takes', () => {
    expect(plan(missing)).toEqual({
      kind: 'refresh',
      valueReads: expect.closeTo(readRate(100, H) * 80, 6),
      unreadLives: 0,
      expiresAtMs: 0,
      ended: null,
    });
  });

  test('is forgotten when its key is cold or not tracked', () => {
    const dropped = { kind: 'drop', why: 'missing', ended: null };
    expect(plan({ ...missing, logHeat: heat(7.9, LATEST_MS) })).toEqual(dropped);
    expect(plan({ ...missing, logHeat: null })).toEqual(dropped);
    expect(plan({ ...missing, logHeat: null, reloadedWithinTtl: true })).toEqual(dropped);
  });

  test('waits half a ttl when it was already reloaded within one', () => {
    const waiting = plan({ ...missing, nowMs: LATEST_MS + 0.4, reloadedWithinTtl: true });
    const untilMs = LATEST_MS + TTL_MS / 2 + 1;
    expect(waiting).toEqual({ kind: 'wait', untilMs, why: 'reloaded' });
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
    const dropped = { kind: 'drop', why: 'cold', ended: null };
    expect(plan({ ...invalidated, logHeat: null })).toEqual(dropped);
  });

  test('of a life that nobody read does not count as one more, nor as read', () => {
    const unread = { ...invalidated.header, logHeat: hot.logHeat ?? 0 };
    const unreadFor = (unreadLives: number) =>
      plan({ ...invalidated, header: { ...unread, unreadLives } });
    expect(unreadFor(1)).toMatchObject({ kind: 'refresh', unreadLives: 1, ended: null });
    expect(unreadFor(2)).toEqual({ kind: 'drop', why: 'unread', ended: null });
  });
});

describe('the planned time', () => {
  test('is a lead before expiry while nothing else is planned then', () => {
    expect(refreshAtMs({ ...hot, settings: { ...settings, beta: 0 } })).toBe(LATEST_MS);
  });

  test('lies an early part of at most the spread before that where this is less busy', () => {
    const atMs = Array.from({ length: 500 }, (_, index) => {
      const plannedAt = (ms: number): number => (ms > LATEST_MS - 500 ? 9 : 0);
      return refreshAtMs({ ...hot, key: `sku-${index}`, plannedAt });
    });
    expect(Math.min(...atMs)).toBeGreaterThanOrEqual(EARLIEST_MS);
    expect(Math.max(...atMs)).toBeLessThanOrEqual(LATEST_MS);
    expect(atMs.every(Number.isInteger)).toBe(true);
  });

  test('differs from key to key and from life to life', () => {
    const plannedAt = (ms: number): number => (ms === LATEST_MS ? 1 : 0);
    const busy = { ...hot, plannedAt };
    const keys = Array.from({ length: 100 }, (_, index) =>
      refreshAtMs({ ...busy, key: `${index}` }),
    );
    expect(new Set(keys).size).toBeGreaterThan(95);
    const nextLife = { ...header, expiresAtMs: EXPIRES_AT_MS + TTL_MS };
    expect(refreshAtMs({ ...busy, header: nextLife }) - TTL_MS).not.toBe(refreshAtMs(busy));
  });

  test('is one of the same four whatever is planned', () => {
    const times = new Set<number>();
    for (let busiest = 0; busiest < 100; busiest++) {
      const plannedAt = (ms: number): number => (Math.floor(ms / 100) % 100 <= busiest ? 1 : 0);
      times.add(refreshAtMs({ ...hot, plannedAt }));
      times.add(refreshAtMs({ ...hot, plannedAt: (ms) => -plannedAt(ms) }));
    }
    expect(times.size).toBeGreaterThan(1);
    expect(times.size).toBeLessThanOrEqual(4);
  });

  test('is waited for even while the key is cold, as heat may grow', () => {
    const cold = { ...hot, logHeat: heat(1, COMMIT_MS), nowMs: COMMIT_MS };
    expect(plan(cold)).toMatchObject({ kind: 'wait', why: 'early' });
    expect(plan({ ...cold, logHeat: null })).toMatchObject({ kind: 'wait', why: 'early' });
  });

  test('has come for every look once the next tick would be after the earliest of the four', () => {
    // A steady heat, so that both looks see the same rate.
    const plannedAt = (ms: number): number => ms;
    const steady = (nowMs: number) => plan({ ...hot, logHeat: heat(100, nowMs), nowMs, plannedAt });
    const atMs = refreshAtMs({ ...hot, logHeat: heat(100, COMMIT_MS), plannedAt });
    expect(atMs).toBeLessThan(LATEST_MS);
    expect(steady(atMs - 251)).toEqual({ kind: 'wait', untilMs: atMs, why: 'early' });
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

describe('at the planned time', () => {
  const loadedByReader = { ...header, logHeat: Number.NaN };

  test('a hot key that was read is refreshed, worth the reads that would wait', () => {
    expect(plan({ ...hot, header: { ...header, unreadLives: 1 } })).toEqual({
      kind: 'refresh',
      valueReads: expect.closeTo(readRate(100, H) * 200, 6),
      unreadLives: 0,
      expiresAtMs: EXPIRES_AT_MS,
      ended: 'used',
    });
  });

  test('a key below the threshold is dropped as cold', () => {
    const byReader = { ...hot, header: loadedByReader };
    const dropped = { kind: 'drop', why: 'cold', ended: null };
    expect(plan({ ...byReader, logHeat: heat(7.99, LATEST_MS) })).toEqual(dropped);
    expect(plan({ ...byReader, logHeat: null })).toEqual(dropped);
    expect(plan({ ...byReader, logHeat: heat(8.01, LATEST_MS) }).kind).toBe('refresh');
    expect(plan({ ...byReader, logHeat: heat(8.01, LATEST_MS), threshold: 8.1 })).toEqual(dropped);
  });

  test('a young tracker asks for fewer reads, as its heats are still short of them', () => {
    const lukewarm = { ...hot, header: loadedByReader, logHeat: heat(4.1, LATEST_MS) };
    expect(plan({ ...lukewarm, trackerAgeMs: H }).kind).toBe('refresh');
    expect(plan({ ...lukewarm, trackerAgeMs: 2 * H })).toMatchObject({ kind: 'drop', why: 'cold' });
  });

  test('a key may go unread for two lives in a row, and is then given up', () => {
    const { logHeat } = header;
    for (const unreadLives of [0, 1]) {
      const unread = { ...hot, logHeat, header: { ...header, unreadLives } };
      const plans = { kind: 'refresh', unreadLives: unreadLives + 1, ended: 'wasted' };
      expect(plan(unread)).toMatchObject(plans);
    }
    const dead = { ...hot, logHeat, header: { ...header, unreadLives: 2 } };
    expect(plan(dead)).toMatchObject({ kind: 'wait', why: 'unread' });
    const over = { ...dead, nowMs: EXPIRES_AT_MS + 250 };
    expect(plan(over)).toEqual({ kind: 'drop', why: 'unread', ended: 'wasted' });
  });

  test('a last digit of difference is not a read', () => {
    const logHeat = header.logHeat + 5e-10;
    expect(plan({ ...hot, logHeat })).toMatchObject({ kind: 'refresh', unreadLives: 1 });
  });

  test('a life that a reader loaded counts as read, and is not judged', () => {
    expect(plan({ ...hot, header: loadedByReader })).toMatchObject({
      kind: 'refresh',
      unreadLives: 0,
      ended: null,
    });
  });

  test('heat that was lost and rebuilt by reads counts as read', () => {
    const before = { ...header, logHeat: heat(100_000, COMMIT_MS) };
    expect(plan({ ...hot, header: before })).toMatchObject({ kind: 'refresh', unreadLives: 0 });
  });

  test('an expired entry is decided in the same way', () => {
    const nowMs = EXPIRES_AT_MS + 5_000;
    expect(plan({ ...hot, nowMs })).toMatchObject({ kind: 'refresh', expiresAtMs: EXPIRES_AT_MS });
    expect(plan({ ...hot, nowMs, logHeat: null })).toMatchObject({ kind: 'drop', why: 'cold' });
  });
});
