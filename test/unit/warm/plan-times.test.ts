import { describe, expect, test } from 'vitest';
import { FireTimes } from '../../../src/warm/fire-times.ts';
import { PlanTimes } from '../../../src/warm/plan-times.ts';
import { Zone } from '../../../src/warm/zone.ts';

const HOUR_MS = 3_600_000;
const zone = new Zone('Europe/Berlin');
const times = (pattern: string): FireTimes => new FireTimes(pattern, zone);
const at = (text: string): number => Date.parse(text);

function planned(schedule: string, peak: string, leadMs: number): PlanTimes {
  return new PlanTimes({
    schedule: times(schedule),
    peak: times(peak),
    leadMs,
    isLedByPeak: true,
  });
}

/** The peaks of a span before which the schedule fires after the peak before them, one by one. */
function ownPeaks(
  schedule: FireTimes,
  peak: FireTimes,
  [fromMs, toMs]: readonly number[],
): number[] {
  const own: number[] = [];
  let beforeMs = peak.previous(fromMs ?? 0) ?? 0;
  for (let nowMs = peak.next(beforeMs); nowMs !== null && nowMs <= (toMs ?? 0); ) {
    const scheduledMs = schedule.previous(nowMs - 1);
    if (scheduledMs !== null && scheduledMs >= beforeMs) own.push(nowMs);
    beforeMs = nowMs;
    nowMs = peak.next(nowMs);
  }
  return own;
}

describe.for([
  ['30 8 * * 1-5', '0 9 * * *'],
  ['0 9 * * *', '0 9 * * *'],
  ['0 7 * * 6', '*/15 * * * *'],
  ['0,40 * * * *', '0 */2 * * *'],
  ['30 2 * * *', '15 3 * * *'],
] as const)('a plan of %s for the peaks %s', ([schedule, peak]) => {
  // Across the clock change of 25 October.
  const span = [at('2026-10-23T00:00Z'), at('2026-11-03T00:00Z')] as const;
  const own = ownPeaks(times(schedule), times(peak), [
    span[0] - 8 * 24 * HOUR_MS,
    span[1] + 8 * 24 * HOUR_MS,
  ]);
  const plan = planned(schedule, peak, 20 * 60_000);

  test('starts a lead before each peak that the schedule announces', () => {
    for (let nowMs = span[0]; nowMs < span[1]; nowMs += 25 * 60_000) {
      const leadMs = 20 * 60_000;
      const next = own.find((peakMs) => peakMs > nowMs + leadMs);
      const latest = own.findLast((peakMs) => peakMs <= nowMs + leadMs);
      expect(plan.next(nowMs, 0)).toMatchObject({
        peakAtMs: next,
        startAtMs: Number(next) - leadMs,
      });
      expect(plan.latest(nowMs, 0)?.peakAtMs).toBe(latest);
    }
  });
});

test.for([
  ['0 7 * * 6', '*/15 * * * *', '2026-11-28T06:15Z'],
  ['0 7 1 1 *', '0 * * * *', '2027-01-01T07:00Z'],
  ['0 7 29 2 *', '0 9 * * *', '2028-02-29T08:00Z'],
] as const)(
  'a schedule of %s is found however many peaks (%s) lie before it',
  ([schedule, peak, expected]) => {
    const plan = planned(schedule, peak, HOUR_MS);
    expect(plan.next(at('2026-11-21T12:00Z'), 0)).toMatchObject({ peakAtMs: at(expected) });
    expect(plan.latest(at(expected), 0)?.peakAtMs).toBe(at(expected));
  },
);
