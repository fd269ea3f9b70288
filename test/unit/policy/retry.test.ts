import { expect, test } from 'vitest';
import { retryDelayMs } from '../../../src/policy/retry.ts';

const HOUR_MS = 3_600_000;

function longestMs(attempt: number, ttlMs: number = HOUR_MS): number {
  return retryDelayMs({ attempt, ttlMs, random01: 1 });
}

test('retries wait a quarter of a second, then twice as long each time', () => {
  expect([1, 2, 3, 4, 5].map((attempt) => longestMs(attempt))).toEqual([
    250, 500, 1_000, 2_000, 4_000,
  ]);
});

test('retries wait at most a minute, or one ttl', () => {
  expect(longestMs(9)).toBe(60_000);
  expect(longestMs(5_000)).toBe(60_000);
  expect(longestMs(9, 2_000)).toBe(2_000);
});

test('half of the wait is random', () => {
  const wait = (random01: number) => retryDelayMs({ attempt: 3, ttlMs: HOUR_MS, random01 });
  expect([wait(0), wait(0.5), wait(1)]).toEqual([500, 750, 1_000]);
});

test('an attempt below one waits like the first', () => {
  expect(longestMs(0)).toBe(250);
});
