import { expect, test } from 'vitest';
import { addReads, recentReads } from '../../../src/policy/heat.ts';
import { readsOfHour } from '../../../src/policy/hour-reads.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The heats at the ends of hours in which so much was read, evenly. */
function ends(halfLifeMs: number, ...readsOfHours: number[]) {
  let logHeat: number | null = null;
  return readsOfHours.map((reads, hour) => {
    for (let minute = 0; minute < 60 && reads > 0; minute++) {
      const atMs = hour * HOUR_MS + (minute + 0.5) * MINUTE_MS;
      logHeat = addReads(logHeat, reads / 60, { atMs, halfLifeMs });
    }
    const atMs = (hour + 1) * HOUR_MS;
    return { recentReads: recentReads(logHeat, { nowMs: atMs, halfLifeMs }), atMs, halfLifeMs };
  });
}

test.for([
  ['a short', 20 * MINUTE_MS],
  ['a long', 24 * HOUR_MS],
] as const)(
  'reads of an hour are told by the heats at its two ends, of %s half-life',
  ([, halfLifeMs]) => {
    const [first, busy, quiet, none] = ends(halfLifeMs, 600, 6_000, 60, 0);
    if (!first || !busy || !quiet || !none) throw new Error('four hours');
    expect(readsOfHour(busy, first) / 6_000).toBeCloseTo(1, 2);
    expect(readsOfHour(quiet, busy) / 60).toBeCloseTo(1, 1);
    expect(readsOfHour(none, quiet)).toBeCloseTo(0, 5);
  },
);

test('without the hour before, the pace at its end stands for all of it', () => {
  const [only] = ends(5 * MINUTE_MS, 600);
  if (!only) throw new Error('one hour');
  expect(readsOfHour(only, null) / 600).toBeCloseTo(1, 1);
  expect(readsOfHour(only, { ...only, halfLifeMs: 1 })).toBe(readsOfHour(only, null));
});

test('reads are never less than none, nor NaN', () => {
  const heat = { recentReads: 0, atMs: HOUR_MS, halfLifeMs: HOUR_MS };
  expect(readsOfHour(heat, { recentReads: 100, atMs: 0, halfLifeMs: HOUR_MS })).toBe(0);
  expect(readsOfHour(heat, heat)).toBe(0);
  expect(readsOfHour({ ...heat, recentReads: Number.NaN }, null)).toBe(0);
});
