import { describe, expect, test } from 'vitest';
import { plan } from '../../../src/policy/plan.ts';
import { PlannedRefreshes } from '../../../src/policy/planned-refreshes.ts';
import { hash01 } from '../../../src/policy/xfetch.ts';
import { header, heat, hot, TTL_MS } from '../../helpers/planning.ts';

const KEYS = 50_000;
const LOADED_AT_MS = 1_750_000_000_300;

interface Scheduler {
  readonly planned: PlannedRefreshes;
  readonly plannedAt: (atMs: number) => number;
}

function scheduler(): Scheduler {
  const planned = new PlannedRefreshes(TTL_MS);
  return { planned, plannedAt: planned.at };
}

/** When each of 50,000 keys that were all loaded within one second is refreshed, planned by these schedulers in turn. */
function refreshTimes(schedulers: readonly Scheduler[]): readonly number[] {
  const bornMs = Array.from({ length: KEYS }, (_, key) => hash01(`${key}`, 9) * 1_000);
  bornMs.sort((a, b) => a - b);
  return bornMs.map((ms, key) => {
    const createdAtMs = Math.floor(LOADED_AT_MS + ms);
    const expiresAtMs = createdAtMs + 200 + TTL_MS;
    const nowMs = expiresAtMs - TTL_MS / 2;
    const load = { meanMs: 200, deviationMs: 20 };
    const by = schedulers[Math.floor(hash01(`${key}`, 3) * schedulers.length)] as Scheduler;
    const made = plan({
      ...hot,
      header: { ...header, createdAtMs, expiresAtMs, load, logHeat: Number.NaN },
      logHeat: heat(20, nowMs),
      key: `sku-${key}`,
      nowMs,
      plannedAt: by.plannedAt,
      loaderLoad: null,
    });
    if (made.kind !== 'wait') throw new Error(`expected a first look, not ${made.kind}`);
    by.planned.add(made.untilMs);
    return made.untilMs;
  });
}

/** The busiest second, whenever it begins, against the mean from the first to the last. */
function busiest(timesMs: readonly number[]): number {
  const inOrder = [...timesMs].sort((a, b) => a - b);
  const [firstMs = 0] = inOrder;
  let most = 0;
  let from = 0;
  for (const [at, ms] of inOrder.entries()) {
    while (ms - (inOrder[from] ?? ms) >= 1_000) from++;
    most = Math.max(most, at - from + 1);
  }
  return (most * ((inOrder.at(-1) ?? firstMs) - firstMs)) / 1_000 / timesMs.length;
}

describe('50,000 keys that were loaded within one second', () => {
  test('are refreshed with a busiest second of at most 1.3 times the mean', () => {
    expect(busiest(refreshTimes([scheduler()]))).toBeLessThan(1.2);
  });

  test('are so by several schedulers that know nothing of each other', () => {
    expect(busiest(refreshTimes([scheduler(), scheduler(), scheduler()]))).toBeLessThan(1.2);
  });

  test('would have a far busier second without a look at what is planned', () => {
    const blind: Scheduler = { planned: new PlannedRefreshes(TTL_MS), plannedAt: () => 0 };
    expect(busiest(refreshTimes([blind]))).toBeGreaterThan(1.5);
  });
});

describe('planned refreshes', () => {
  test('are counted by tenths of a second', () => {
    const planned = new PlannedRefreshes(TTL_MS);
    planned.add(5_000);
    planned.add(5_099);
    planned.add(5_100);
    expect([4_999, 5_050, 5_150, 5_200].map(planned.at)).toEqual([0, 2, 1, 0]);
  });

  test('are forgotten when their time has passed', () => {
    const planned = new PlannedRefreshes(TTL_MS);
    planned.add(5_000);
    planned.add(6_000);
    planned.forgetBefore(6_040);
    expect([5_000, 6_000].map(planned.at)).toEqual([0, 1]);
  });

  test('are counted by longer spans where the ttl is long', () => {
    const planned = new PlannedRefreshes(4_096 * 60_000);
    planned.add(60_000);
    expect([119_999, 120_000].map(planned.at)).toEqual([1, 0]);
  });

  test('are kept for at most 10,000 spans', () => {
    const planned = new PlannedRefreshes(TTL_MS);
    for (let span = 0; span <= 10_000; span++) planned.add(span * 100);
    planned.add(0);
    expect([0, 999_900, 1_000_000].map(planned.at)).toEqual([2, 1, 0]);
  });
});
