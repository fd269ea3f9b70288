import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moveThreshold, type WasteControl, wastedShare } from '../../../src/policy/waste.ts';

const NONE = { used: 0, wasted: 0 };
const BUDGET = 0.3;

function control(threshold: number): WasteControl {
  return { threshold, recent: NONE, counted: NONE };
}

/** One move on that many lives more. */
function moved(from: WasteControl, used: number, wasted: number): WasteControl | null {
  const { counted } = from;
  return moveThreshold(
    from,
    { used: counted.used + used, wasted: counted.wasted + wasted },
    BUDGET,
  );
}

/** Where the threshold ends if a share of lives that depends on it is wasted. */
function settled(start: number, shareAt: (threshold: number) => number): readonly number[] {
  let state = control(start);
  const thresholds: number[] = [];
  for (let move = 0; move < 400; move++) {
    const wasted = Math.round(250 * shareAt(state.threshold));
    state = moved(state, 250 - wasted, wasted) ?? state;
    thresholds.push(state.threshold);
  }
  return thresholds;
}

describe('the threshold', () => {
  test('rises by a tenth while far more than the budget is wasted', () => {
    expect(moved(control(8), 100, 100)?.threshold).toBeCloseTo(8.8, 9);
  });

  test('falls by a tenth while far less is', () => {
    expect(moved(control(8), 200, 0)?.threshold).toBeCloseTo(7.2, 9);
  });

  test('moves less the nearer the waste is to the budget, and not when it is met', () => {
    expect(moved(control(8), 650, 350)?.threshold).toBeCloseTo(8.4, 9);
    expect(moved(control(8), 700, 300)?.threshold).toBe(8);
  });

  test('never moves on fewer than 200 lives', () => {
    expect(moved(control(8), 0, 199)).toBeNull();
    expect(moved(control(8), 199, 0)).toBeNull();
    const once = moved(control(8), 0, 200);
    expect(once && moved(once, 0, 199)).toBeNull();
  });

  test('takes into account lives of earlier moves, less and less', () => {
    const wasteful = moved(control(8), 0, 1_000) as WasteControl;
    const next = moved(wasteful, 500, 0) as WasteControl;
    expect(wastedShare(next.recent)).toBeCloseTo(
      (1_000 * 2 ** -0.5) / (1_000 * 2 ** -0.5 + 500),
      9,
    );
    expect(next.threshold).toBeCloseTo(8.8 * 1.1, 9);
  });

  test('goes on after its counters were lost', () => {
    const before = moved(control(8), 10_000, 0) as WasteControl;
    expect(moveThreshold(before, { used: 50, wasted: 100 }, BUDGET)).toBeNull();
    const lost = moveThreshold(before, { used: 50, wasted: 200 }, BUDGET);
    expect(lost?.counted).toEqual({ used: 50, wasted: 200 });
  });

  test.each([2, 8, 64])('settles from %d where the budget is met', (start) => {
    // As over keys read at steady rates: the more reads are asked for, the fewer lives are wasted.
    const thresholds = settled(start, (threshold) => Math.exp(-threshold / 10));
    for (const threshold of thresholds.slice(-100)) {
      expect(threshold).toBeGreaterThan(0.9 * 10 * Math.log(1 / BUDGET));
      expect(threshold).toBeLessThan(1.1 * 10 * Math.log(1 / BUDGET));
    }
  });

  test('stays within 2 and 64 where no threshold meets the budget', () => {
    expect(settled(8, () => 0).at(-1)).toBe(2);
    expect(settled(8, () => 1).at(-1)).toBe(64);
  });

  test('moves by at most a tenth and stays within its bounds, whatever is judged', () => {
    const count = fc.integer({ min: 0, max: 1e6 });
    const lives = fc.record({ used: count, wasted: count });
    const threshold = fc.double({ min: 2, max: 64, noNaN: true });
    const any = fc.record({ threshold, recent: lives, counted: lives });
    const budget = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(any, lives, budget, (from, judged, wasteBudget) => {
        const next = moveThreshold(from, judged, wasteBudget);
        if (next === null) return;
        expect(next.threshold).toBeGreaterThanOrEqual(Math.max(2, from.threshold * 0.899));
        expect(next.threshold).toBeLessThanOrEqual(Math.min(64, from.threshold * 1.101));
      }),
    );
  });
});
