import { describe, expect, test } from 'vitest';
import { packSizes, urgencyPriority } from '../../../src/policy/batching.ts';

const COUNTS = Array.from({ length: 2_000 }, (_, index) => index + 1);

describe('packing', () => {
  test('puts one key in a job up to eight jobs', () => {
    expect([0, 1, 5, 8].map(packSizes)).toEqual([1, 1, 1, 1]);
  });

  test('packs more keys into jobs beyond that', () => {
    expect([16, 40, 400, 800, 801, 850, 1_000].map(packSizes)).toEqual([
      2, 5, 50, 100, 89, 95, 100,
    ]);
  });

  test('never leaves fewer than eight jobs to share, or more than 100 keys in one', () => {
    for (const count of COUNTS.slice(8)) {
      const size = packSizes(count);
      expect(size).toBeLessThanOrEqual(100);
      expect(Math.ceil(count / size)).toBeGreaterThanOrEqual(8);
    }
  });

  test('needs no more jobs than 16, or than full ones', () => {
    for (const count of COUNTS) {
      const most = Math.max(16, Math.ceil(count / 100));
      expect(Math.ceil(count / packSizes(count))).toBeLessThanOrEqual(most);
    }
  });
});

describe('the priority', () => {
  test('is first for what has expired or is about to', () => {
    expect([Number.NEGATIVE_INFINITY, -5_000, 0, 1].map(urgencyPriority)).toEqual([1, 1, 1, 1]);
  });

  test('falls one step per doubling of the time left', () => {
    expect([2, 4, 1_000, 2_000, 60_000].map(urgencyPriority)).toEqual([2, 3, 10, 11, 16]);
  });

  test('stays a whole number within 1 and 32, later for more time', () => {
    let before = 1;
    for (let ms = 1; ms < 1e12; ms *= 1.37) {
      const priority = urgencyPriority(ms);
      expect(Number.isInteger(priority)).toBe(true);
      expect(priority).toBeGreaterThanOrEqual(before);
      before = priority;
    }
    expect(before).toBe(32);
    expect(urgencyPriority(Number.POSITIVE_INFINITY)).toBe(32);
  });
});
