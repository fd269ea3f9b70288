import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstLookMs, leadMs, MOST_OF_LIFE_LIMITED } from '../../../src/policy/lead-time.ts';

const quiet = { load: null, wait: null, tickMs: 250, ttlMs: 60_000, minLeadMs: 0 };

describe('the lead', () => {
  test('covers a slow load, a slow queue and one tick', () => {
    const load = { meanMs: 200, deviationMs: 50 };
    const wait = { meanMs: 30, deviationMs: 5 };
    expect(leadMs({ ...quiet, load, wait })).toBe(200 + 200 + 30 + 20 + 250);
  });

  test('is one tick when nothing is known', () => {
    expect(leadMs(quiet)).toBe(250);
  });

  test('is at least the minimum', () => {
    expect(leadMs({ ...quiet, minLeadMs: 1_000 })).toBe(1_000);
  });

  test('leaves a tenth of the ttl, even against the minimum', () => {
    expect(leadMs({ ...quiet, load: { meanMs: 90_000, deviationMs: 0 } })).toBe(54_000);
    expect(leadMs({ ...quiet, minLeadMs: 90_000 })).toBe(54_000);
  });
});

test('the lead is at most a quarter of the ttl while the origin limits', () => {
  const load = { meanMs: 90_000, deviationMs: 0 };
  expect(leadMs({ ...quiet, load, mostShare: MOST_OF_LIFE_LIMITED })).toBe(15_000);
  expect(leadMs({ ...quiet, mostShare: MOST_OF_LIFE_LIMITED })).toBe(250);
});

describe('the first look', () => {
  const life = { expiresAtMs: 100_000, ttlMs: 10_000, leadMs: 500, spread: 0.1, nowMs: 90_000 };

  test('comes half a ttl before expiry', () => {
    expect(firstLookMs(life)).toBe(95_000);
  });

  test('comes two leads before expiry if that is earlier', () => {
    expect(firstLookMs({ ...life, leadMs: 3_000 })).toBe(94_000);
  });

  test('comes before the earliest time to refresh, however wide these are spread', () => {
    expect(firstLookMs({ ...life, spread: 0.5 })).toBe(100_000 - 500 - 6_000);
  });

  test('leaves the first tenth of the life alone', () => {
    expect(firstLookMs({ ...life, leadMs: 9_000 })).toBe(91_000);
  });

  test('is now when its time has passed', () => {
    expect(firstLookMs({ ...life, nowMs: 97_000 })).toBe(97_000);
  });

  test('is a whole millisecond, as half ones are claims, and never in the past', () => {
    const life = fc.record({
      expiresAtMs: fc.integer({ min: 0, max: 2e12 }),
      ttlMs: fc.integer({ min: 1, max: 1e9 }),
      leadMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      spread: fc.double({ min: 0, max: 0.5, noNaN: true }),
      nowMs: fc.double({ min: 0, max: 2e12, noNaN: true }),
    });
    fc.assert(
      fc.property(life, (any) => {
        const lookMs = firstLookMs(any);
        expect(Number.isInteger(lookMs)).toBe(true);
        expect(lookMs).toBeGreaterThanOrEqual(any.nowMs);
      }),
    );
  });
});
