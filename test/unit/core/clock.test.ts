import { afterEach, expect, test, vi } from 'vitest';
import { CoarseClock, processClock } from '../../../src/core/clock.ts';

afterEach(() => void vi.restoreAllMocks());

test('the coarse clock is never more than a millisecond behind, nor ahead', () => {
  const clock = new CoarseClock();
  const endMs = performance.now() + 20;
  while (performance.now() < endMs) {
    const beforeMs = processClock.now();
    const nowMs = clock.now();
    expect(nowMs).toBeLessThanOrEqual(processClock.now());
    expect(beforeMs - nowMs).toBeLessThan(2);
  }
});

test('the coarse clock is not moved by a stepped wall clock', () => {
  const clock = new CoarseClock();
  clock.now();
  const steppedMs = Date.now() - 300_000;
  vi.spyOn(Date, 'now').mockReturnValue(steppedMs);
  expect(Math.abs(clock.now() - processClock.now())).toBeLessThan(2);
});
