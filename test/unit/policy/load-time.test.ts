import { describe, expect, test } from 'vitest';
import { decay, type Smoothed, smooth, upperBound } from '../../../src/policy/load-time.ts';

describe('smoothing', () => {
  test('starts with the first sample and half of it as deviation', () => {
    expect(smooth(null, 200)).toEqual({ meanMs: 200, deviationMs: 100 });
  });

  test('takes in an eighth of the difference, and a quarter of the deviation', () => {
    const next = smooth({ meanMs: 100, deviationMs: 20 }, 180);
    expect(next).toEqual({ meanMs: 110, deviationMs: 35 });
  });

  test('converges to a steady load time without deviation', () => {
    let smoothed = smooth(null, 1_000);
    for (let i = 0; i < 200; i++) smoothed = smooth(smoothed, 80);
    expect(smoothed.meanMs).toBeCloseTo(80, 3);
    expect(smoothed.deviationMs).toBeCloseTo(0, 3);
  });

  test('counts an outlier as four times mean and deviation at most', () => {
    const before: Smoothed = { meanMs: 100, deviationMs: 25 };
    expect(smooth(before, 60_000)).toEqual(smooth(before, 500));
    expect(smooth(before, 499)).not.toEqual(smooth(before, 500));
  });

  test('counts a sample as one millisecond at least', () => {
    expect(smooth(null, 0)).toEqual({ meanMs: 1, deviationMs: 0.5 });
    expect(smooth({ meanMs: 9, deviationMs: 0 }, -5)).toEqual(
      smooth({ meanMs: 9, deviationMs: 0 }, 1),
    );
  });

  test('follows lasting slowness within a few samples', () => {
    let smoothed: Smoothed = { meanMs: 10, deviationMs: 1 };
    for (let i = 0; i < 6; i++) smoothed = smooth(smoothed, 1_000);
    expect(upperBound(smoothed)).toBeGreaterThan(1_000);
  });

  test('starts anew from what has decayed to nothing', () => {
    expect(smooth({ meanMs: 0, deviationMs: 0 }, 400)).toEqual(smooth(null, 400));
    expect(smooth({ meanMs: 0.5, deviationMs: 0.4 }, 400)).toEqual(smooth(null, 400));
  });
});

describe('decay', () => {
  test('halves mean and deviation with every half-life', () => {
    const wait: Smoothed = { meanMs: 80, deviationMs: 40 };
    expect(decay(wait, 2_000, 1_000)).toEqual({ meanMs: 20, deviationMs: 10 });
    expect(upperBound(decay(wait, 60_000, 1_000))).toBeLessThan(1e-9);
  });

  test('leaves the span alone when no time has passed, or the clock stepped back', () => {
    const wait: Smoothed = { meanMs: 80, deviationMs: 40 };
    expect(decay(wait, 0, 1_000)).toEqual(wait);
    expect(decay(wait, -500, 1_000)).toEqual(wait);
  });
});

test('the upper bound is mean and four deviations, 0 when nothing is known', () => {
  expect(upperBound({ meanMs: 100, deviationMs: 25 })).toBe(200);
  expect(upperBound(null)).toBe(0);
});
