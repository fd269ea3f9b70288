import { expect, test } from 'vitest';
import { addReads, recentReads } from '../../../src/policy/heat.ts';
import { thresholdAt } from '../../../src/policy/threshold.ts';

const H = 240_000;

test('an old tracker asks for the whole threshold', () => {
  expect(thresholdAt(8, { ageMs: 60 * H, halfLifeMs: H })).toBeCloseTo(8, 9);
});

test('a tracker of one half-life asks for half, a new one for two reads within a half-life', () => {
  expect(thresholdAt(8, { ageMs: H, halfLifeMs: H })).toBe(4);
  expect(thresholdAt(8, { ageMs: 0, halfLifeMs: H })).toBe(1.5);
  expect(thresholdAt(8, { ageMs: -5, halfLifeMs: H })).toBe(1.5);
});

test('a threshold below that is taken as it is', () => {
  expect(thresholdAt(1, { ageMs: 0, halfLifeMs: H })).toBe(1);
});

test('a steadily read key passes or fails at every age alike', () => {
  const everyMs = 6_000;
  // Recent reads in the end: 1 / (1 - 2^(-everyMs/h)) = 58.2; in the middle of two reads about 57.7.
  for (const [threshold, passes] of [
    [50, true],
    [66, false],
  ] as const) {
    let logHeat: number | null = null;
    for (let atMs = 0; atMs < 10 * H; atMs += everyMs) {
      logHeat = addReads(logHeat, 1, { atMs, halfLifeMs: H });
      const ageMs = atMs + everyMs / 2;
      if (ageMs < H / 2) continue;
      const reads = recentReads(logHeat, { nowMs: ageMs, halfLifeMs: H });
      expect(reads >= thresholdAt(threshold, { ageMs, halfLifeMs: H })).toBe(passes);
    }
  }
});
