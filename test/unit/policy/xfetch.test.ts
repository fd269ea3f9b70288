import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  derived01,
  earlyPartMs,
  hash01,
  hash32,
  refreshGapMs,
} from '../../../src/policy/xfetch.ts';
import { seededRandom } from '../../../src/simulate/random.ts';

const DRAWS = 20_000;
/** Kolmogorov–Smirnov distance that 20,000 right draws exceed once in 1,000. */
const KS_BOUND = 1.95 / Math.sqrt(DRAWS);

/** λδβ = 3: one life in 20 has no read that fires before expiry. */
const MODEL = { ratePerMs: 0.02, loadMs: 100, beta: 1.5 };
const SCALE_MS = MODEL.loadMs * MODEL.beta;

/** P(G < g) of per-read XFetch. */
function gapCdf(gapMs: number): number {
  return Math.exp(-MODEL.ratePerMs * SCALE_MS * Math.exp(-gapMs / SCALE_MS));
}

function uniformCdf(x: number): number {
  return Math.min(Math.max(x, 0), 1);
}

/** Largest distance between the samples' distribution and the law, over samples of at least `from`. */
function ksDistance(
  samples: readonly number[],
  cdf: (x: number) => number,
  from = -Infinity,
): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted.reduce((worst, x, index) => {
    if (x < from) return worst;
    const law = cdf(x);
    const below = Math.abs(law - index / sorted.length);
    const upTo = Math.abs((index + 1) / sorted.length - law);
    return Math.max(worst, below, upTo);
  }, 0);
}

function draws(seed: number): number[] {
  return Array.from({ length: DRAWS }, (_, index) => hash01(`product:${index}`, seed));
}

function correlation(xs: readonly number[], ys: readonly number[]): number {
  const products = xs.map((x, index) => (x - 0.5) * ((ys[index] ?? 0) - 0.5));
  return (products.reduce((sum, product) => sum + product, 0) / xs.length) * 12;
}

/** One life under per-read XFetch: how long before expiry the first read fires; −1 if none does. */
function simulatedGapMs(random: () => number): number {
  const expiryMs = 0;
  let nowMs = -30 * SCALE_MS;
  while (true) {
    nowMs += -Math.log(random()) / MODEL.ratePerMs;
    if (nowMs >= expiryMs) return -1;
    if (nowMs - SCALE_MS * Math.log(random()) >= expiryMs) return expiryMs - nowMs;
  }
}

describe('the hash', () => {
  test('is uniform for keys that differ in their last digits only', () => {
    expect(ksDistance(draws(1), uniformCdf)).toBeLessThan(KS_BOUND);
    expect(ksDistance(draws(2), uniformCdf)).toBeLessThan(KS_BOUND);
  });

  test('is uniform over the lives of one key', () => {
    const lives = Array.from({ length: DRAWS }, (_, life) =>
      hash01(`a:${1.75e12 + life * 6e4}`, 1),
    );
    expect(ksDistance(lives, uniformCdf)).toBeLessThan(KS_BOUND);
  });

  test('gives independent numbers for different seeds', () => {
    expect(Math.abs(correlation(draws(1), draws(2)))).toBeLessThan(4 / Math.sqrt(DRAWS));
    const next = draws(1).slice(1);
    expect(Math.abs(correlation(next, draws(1)))).toBeLessThan(4 / Math.sqrt(DRAWS));
  });

  test('gives 16 seeds their share of each cell of a 10 by 10 grid', () => {
    const cells = new Map<string, number>();
    for (let seed = 0; seed < 16; seed++) {
      const [us, vs] = [draws(seed).slice(0, 2_500), draws(seed + 1).slice(0, 2_500)];
      us.forEach((u, index) => {
        const cell = `${Math.floor(u * 10)}:${Math.floor((vs[index] ?? 0) * 10)}`;
        cells.set(cell, (cells.get(cell) ?? 0) + 1);
      });
    }
    expect(cells.size).toBe(100);
    const chiSquare = [...cells.values()].reduce((sum, n) => sum + (n - 400) ** 2 / 400, 0);
    // 99 degrees of freedom: more than 150 once in 1,000.
    expect(chiSquare).toBeLessThan(150);
  });

  test('gives independent uniform numbers when several are derived from one pass', () => {
    const derived = (seed: number): number[] =>
      Array.from({ length: DRAWS }, (_, index) => derived01(hash32(`product:${index}`, 1), seed));
    for (let seed = 0; seed < 8; seed++) {
      expect(ksDistance(derived(seed), uniformCdf)).toBeLessThan(KS_BOUND);
      const next = derived(seed + 1);
      expect(Math.abs(correlation(derived(seed), next))).toBeLessThan(4 / Math.sqrt(DRAWS));
    }
  });

  test('is the same for the same text and seed, strictly between 0 and 1', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer(), (text, seed) => {
        const u = hash01(text, seed);
        expect(u).toBeGreaterThan(0);
        expect(u).toBeLessThan(1);
        expect(hash01(text, seed)).toBe(u);
      }),
    );
  });

  test('stays the same from version to version, as a life keeps its draw across a deploy', () => {
    expect([hash01('', 1), hash01('sku-42:1750000000000', 1)]).toMatchInlineSnapshot(`
      [
        0.7311201017582789,
        0.8261012587463483,
      ]
    `);
  });
});

describe('the XFetch gap', () => {
  test('follows the law of per-read XFetch', () => {
    const gaps = draws(1).map((u) => refreshGapMs({ ...MODEL, u }));
    expect(ksDistance(gaps, gapCdf)).toBeLessThan(KS_BOUND);
  });

  test('agrees with reads that fire one by one', () => {
    const random = seededRandom(42);
    const gaps = Array.from({ length: DRAWS }, () => simulatedGapMs(random));
    expect(ksDistance(gaps, gapCdf, 0)).toBeLessThan(KS_BOUND);
    const missed = gaps.filter((gapMs) => gapMs < 0).length / DRAWS;
    expect(missed).toBeCloseTo(Math.exp(-3), 2);
  });

  test('is earlier for hotter keys, slower loads and a larger beta', () => {
    const gapMs = refreshGapMs({ ...MODEL, u: 0.5 });
    expect(refreshGapMs({ ...MODEL, u: 0.5, ratePerMs: 0.04 })).toBeGreaterThan(gapMs);
    expect(refreshGapMs({ ...MODEL, u: 0.5, loadMs: 200 })).toBeGreaterThan(gapMs);
    expect(refreshGapMs({ ...MODEL, u: 0.5, beta: 2 })).toBeGreaterThan(gapMs);
  });

  test('is minus infinity when no read can fire', () => {
    expect(refreshGapMs({ ...MODEL, u: 0.5, ratePerMs: 0 })).toBe(Number.NEGATIVE_INFINITY);
    expect(refreshGapMs({ ...MODEL, u: 0.5, loadMs: 0 })).toBe(Number.NEGATIVE_INFINITY);
    expect(refreshGapMs({ ...MODEL, u: 0.5, beta: 0 })).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('the early part', () => {
  const draw = { ...MODEL, u: 0.5, v: 0.5, spread: 0.1, ttlMs: 60_000, leadMs: 500 };

  test('is the gap when that is larger than the spread', () => {
    const slow = { ...draw, loadMs: 300, v: 0.01 };
    expect(earlyPartMs(slow)).toBe(refreshGapMs(slow));
  });

  test('is the spread when the gap is smaller or negative', () => {
    expect(earlyPartMs(draw)).toBe(3_000);
    expect(earlyPartMs({ ...draw, u: 1e-9 })).toBe(3_000);
    expect(earlyPartMs({ ...draw, ratePerMs: 0, v: 0.25 })).toBe(1_500);
  });

  test('is spread even where the gap asks for more than may be', () => {
    const slow = { ...draw, loadMs: 30_000, u: 0.999 };
    expect([0, 0.25, 1].map((v) => earlyPartMs({ ...slow, v }))).toEqual([6_000, 4_500, 0]);
  });

  test('leaves a tenth of the life together with the lead', () => {
    expect(earlyPartMs({ ...draw, v: 1, leadMs: 53_000 })).toBe(1_000);
    expect(earlyPartMs({ ...draw, v: 0.5, leadMs: 53_000 })).toBe(500);
    expect(earlyPartMs({ ...draw, leadMs: 54_000 })).toBe(0);
    expect(earlyPartMs({ ...draw, leadMs: 60_000 })).toBe(0);
  });

  test('stays within its bounds for any key', () => {
    const unit = fc.double({ min: 0, max: 1, minExcluded: true, maxExcluded: true, noNaN: true });
    const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
    const anyDraw = fc.record({
      ratePerMs: amount,
      loadMs: amount,
      beta: fc.double({ min: 0, max: 100, noNaN: true }),
      u: unit,
      v: unit,
      spread: fc.double({ min: 0, max: 2, noNaN: true }),
      ttlMs: fc.integer({ min: 1, max: 1e9 }),
      leadMs: amount,
    });
    fc.assert(
      fc.property(anyDraw, (any) => {
        const partMs = earlyPartMs(any);
        expect(partMs).toBeGreaterThanOrEqual(0);
        expect(partMs).toBeLessThanOrEqual(any.spread * any.ttlMs);
        expect(partMs).toBeLessThanOrEqual(Math.max(0, 0.9 * any.ttlMs - any.leadMs));
      }),
    );
  });
});
