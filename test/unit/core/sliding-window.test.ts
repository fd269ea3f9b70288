import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlidingWindow } from '../../../src/core/sliding-window.ts';

const LIMIT = { max: 3, perMs: 1_000 };
const one = { permits: 1, maxWaitMs: 0 };

test('grants max permits at once, and the next when the first has left the window', () => {
  const window = new SlidingWindow(LIMIT);
  const answers = [0, 100, 200, 300, 999, 1_000].map((nowMs) => window.take(one, nowMs));
  expect(answers).toEqual([
    { isGranted: true, waitMs: 0, remaining: 2 },
    { isGranted: true, waitMs: 0, remaining: 1 },
    { isGranted: true, waitMs: 0, remaining: 0 },
    { isGranted: false, waitMs: 700, remaining: 0 },
    { isGranted: false, waitMs: 1, remaining: 0 },
    { isGranted: true, waitMs: 0, remaining: 0 },
  ]);
});

test('reserves what is waited for, in order, and nothing that is refused', () => {
  const window = new SlidingWindow(LIMIT);
  const waiting = { permits: 1, maxWaitMs: 1_500 };
  const waits = Array.from({ length: 8 }, () => window.take(waiting, 0));
  expect(waits.map(({ waitMs }) => waitMs)).toEqual([0, 0, 0, 1_000, 1_000, 1_000, 2_000, 2_000]);
  expect(waits.filter(({ isGranted }) => isGranted)).toHaveLength(6);
});

test('forgets a grant that has left the window while others have not', () => {
  const window = new SlidingWindow({ max: 5, perMs: 1_000 });
  for (const nowMs of [0, 95, 465, 1_001]) window.take(one, nowMs);
  const two = { permits: 2, maxWaitMs: 0 };
  expect(window.take(two, 1_001)).toEqual({ isGranted: true, waitMs: 0, remaining: 0 });
});

test('never has more than max in any window, whatever is asked when', () => {
  const asked = fc.record({
    afterMs: fc.integer({ min: 0, max: 600 }),
    permits: fc.integer({ min: 1, max: 5 }),
    maxWaitMs: fc.integer({ min: 0, max: 3_000 }),
  });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 80 }), (takes) => {
      const window = new SlidingWindow({ max: 5, perMs: 1_000 });
      const grants: number[] = [];
      let nowMs = 0;
      for (const { afterMs, permits, maxWaitMs } of takes) {
        nowMs += afterMs;
        const { isGranted, waitMs } = window.take({ permits, maxWaitMs }, nowMs);
        if (isGranted) grants.push(...Array.from({ length: permits }, () => nowMs + waitMs));
      }
      expect(grants).toEqual([...grants].sort((a, b) => a - b));
      for (const [at, grant] of grants.slice(5).entries()) {
        expect(grant - (grants[at] ?? 0)).toBeGreaterThanOrEqual(1_000);
      }
    }),
  );
});

test('keeps no more than it needs over many grants', () => {
  const window = new SlidingWindow({ max: 2_000, perMs: 100 });
  for (let nowMs = 0; nowMs < 20_000; nowMs++) {
    expect(window.take(one, nowMs)).toEqual({
      isGranted: true,
      waitMs: 0,
      remaining: 2_000 - Math.min(nowMs + 1, 100),
    });
  }
});
