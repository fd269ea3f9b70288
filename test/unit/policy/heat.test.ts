import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addReads,
  fadedBelow,
  halfLifeMs,
  readRate,
  recentReads,
} from '../../../src/policy/heat.ts';

const H = halfLifeMs(60_000);
const START_MS = 1_750_000_000_000;

interface Reads {
  readonly afterMs: number;
  readonly count: number;
}

const history = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 40 * H }),
    count: fc.integer({ min: 1, max: 500 }),
  }),
  { minLength: 1, maxLength: 40 },
);

function heatOf(reads: readonly Reads[]): number {
  let heat: number | null = null;
  for (const { afterMs, count } of reads) {
    heat = addReads(heat, count, { atMs: START_MS + afterMs, halfLifeMs: H });
  }
  return heat ?? Number.NaN;
}

/** Σ n·2^((t − start)/h), of which log-heat is the logarithm, shifted by start/h. */
function directSum(reads: readonly Reads[]): number {
  return reads.reduce((sum, { afterMs, count }) => sum + count * 2 ** (afterMs / H), 0);
}

describe('log-heat', () => {
  test('has a half-life of four ttl', () => {
    expect(halfLifeMs(300_000)).toBe(1_200_000);
  });

  test('equals the logarithm of the direct sum, whatever the order of the reads', () => {
    fc.assert(
      fc.property(history, (reads) => {
        expect(heatOf(reads) - START_MS / H).toBeCloseTo(Math.log2(directSum(reads)), 5);
      }),
    );
  });

  test('orders keys by their current heat', () => {
    fc.assert(
      fc.property(history, history, (a, b) => {
        const [heatA, heatB] = [heatOf(a), heatOf(b)];
        fc.pre(Math.abs(heatA - heatB) > 1e-6);
        const at = { nowMs: START_MS + 45 * H, halfLifeMs: H };
        expect(heatA > heatB).toBe(directSum(a) > directSum(b));
        expect(recentReads(heatA, at) > recentReads(heatB, at)).toBe(heatA > heatB);
      }),
    );
  });

  test('grows with every read', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 40 * H }), (reads, afterMs) => {
        const more = [...reads, { afterMs, count: 1 }];
        expect(heatOf(more)).toBeGreaterThanOrEqual(heatOf(reads));
      }),
    );
  });

  test('adds n reads at once as n single reads', () => {
    const single = Array.from({ length: 7 }, () => ({ afterMs: 5, count: 1 }));
    expect(heatOf([{ afterMs: 5, count: 7 }])).toBeCloseTo(heatOf(single), 6);
  });

  test('counts a sampled read by its weight', () => {
    const weighted = addReads(null, 12.5, { atMs: START_MS, halfLifeMs: H });
    expect(recentReads(weighted, { nowMs: START_MS, halfLifeMs: H })).toBeCloseTo(12.5, 5);
  });

  test('stays what it is when no reads are added', () => {
    const at = { atMs: START_MS, halfLifeMs: H };
    const heat = addReads(null, 3, at);
    expect(addReads(heat, 0, at)).toBe(heat);
    expect(recentReads(addReads(addReads(null, 0, at), 0, at), { nowMs: 0, halfLifeMs: H })).toBe(
      0,
    );
  });

  test('neither overflows nor loses reads far apart', () => {
    const old = addReads(null, 1, { atMs: 0, halfLifeMs: 400 });
    const now = addReads(old, 1, { atMs: START_MS, halfLifeMs: 400 });
    expect(now).toBe(START_MS / 400);
    expect(addReads(now, 1, { atMs: 0, halfLifeMs: 400 })).toBe(now);
  });
});

describe('recent reads', () => {
  test('are none for a key that was never read', () => {
    expect(recentReads(null, { nowMs: START_MS, halfLifeMs: H })).toBe(0);
  });

  test('halve with every half-life', () => {
    const heat = addReads(null, 64, { atMs: START_MS, halfLifeMs: H });
    for (const [lives, left] of [
      [0, 64],
      [1, 32],
      [3, 8],
    ] as const) {
      const now = { nowMs: START_MS + lives * H, halfLifeMs: H };
      expect(recentReads(heat, now)).toBeCloseTo(left, 5);
    }
  });

  test('stay within 0 and 2^40', () => {
    expect(recentReads(1e9, { nowMs: 0, halfLifeMs: H })).toBe(2 ** 40);
    expect(recentReads(-1e9, { nowMs: 0, halfLifeMs: H })).toBe(0);
  });

  test('give back the rate of a steadily read key', () => {
    const everyMs = 500;
    let heat: number | null = null;
    for (let atMs = 0; atMs <= 20 * H; atMs += everyMs) {
      heat = addReads(heat, 1, { atMs, halfLifeMs: H });
    }
    const rate = readRate(recentReads(heat, { nowMs: 20 * H, halfLifeMs: H }), H);
    expect(rate * everyMs).toBeCloseTo(1, 2);
  });
});

test('a key fades when less than a quarter of a recent read is left', () => {
  const heat = addReads(null, 1, { atMs: START_MS, halfLifeMs: H });
  const afterMs = (halfLives: number) => ({ nowMs: START_MS + halfLives * H, halfLifeMs: H });
  expect(heat).toBeGreaterThan(fadedBelow(afterMs(1.99)));
  expect(heat).toBeLessThan(fadedBelow(afterMs(2.01)));
  expect(recentReads(fadedBelow(afterMs(0)), afterMs(0))).toBeCloseTo(0.25, 6);
});
