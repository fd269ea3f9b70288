import { describe, expect, test } from 'vitest';
import { type PlanInput, plan } from '../../../src/policy/plan.ts';
import {
  COMMIT_MS,
  header,
  heat,
  hot,
  refreshAtMs,
  settings,
  TTL_MS,
} from '../../helpers/planning.ts';

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
    const plannedAt = (ms: number): number => ms;
    for (let index = 0; index < 200; index++) {
      const atMs = refreshAtMs({ ...living(5_000), key: `sku-${index}`, plannedAt });
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
    const plannedAt = (ms: number): number => ms;
    const earlyMs = Array.from({ length: 200 }, (_, index) => {
      const atMs = refreshAtMs({ ...living(HOUR_MS), key: `sku-${index}`, plannedAt });
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
    expect(plan({ ...due, logHeat: heat(7.9, due.nowMs) })).toMatchObject({ why: 'cold' });
    expect(plan({ ...due, logHeat: heat(8.1, due.nowMs) })).toMatchObject({ kind: 'refresh' });
  });
});
