import { describe, expect, test } from 'vitest';
import { printPeaks } from '../../../src/cli/print-peaks.ts';
import {
  type HourSummary,
  type PeakProfile,
  peakProfile,
  profileHours,
} from '../../../src/warm/peak-profile.ts';
import { Zone } from '../../../src/warm/zone.ts';

const HOUR_MS = 3_600_000;
const halfLifeMs = 60_000;
const berlin = new Zone('Europe/Berlin');
/** A Monday. */
const noon = Date.parse('2026-11-23T12:30+01:00');

/** The profile of a week in which so much was read in each hour, by its local time; null: not written down. */
function profile(
  readsAt: (hour: number, weekday: number) => number | null,
  { nowMs = noon, zone = berlin } = {},
): PeakProfile {
  const summaries: HourSummary[] = [];
  for (const hour of profileHours(nowMs, zone)) {
    const wall = new Date(zone.wallMs(hour * HOUR_MS));
    const reads = readsAt(wall.getUTCHours(), wall.getUTCDay());
    if (reads === null) continue;
    const recentReads = (reads / HOUR_MS) * (halfLifeMs / Math.LN2);
    summaries.push({
      hour,
      recentReads,
      atMs: (hour + 1) * HOUR_MS,
      halfLifeMs,
      hotKeys: Math.round(reads / 10),
    });
  }
  return peakProfile(summaries, nowMs, zone);
}

const isOffice = (weekday: number): boolean => weekday > 0 && weekday < 6;

describe('a week’s profile', () => {
  test('has a row an hour of the local day and a column a day', () => {
    const { days, reads, means, recordedHours } = profile((hour, day) => 1_000 * hour + day);
    expect(days).toEqual([
      '2026-11-17',
      '2026-11-18',
      '2026-11-19',
      '2026-11-20',
      '2026-11-21',
      '2026-11-22',
      '2026-11-23',
    ]);
    expect(recordedHours).toBe(6 * 24 + 12);
    const nine = reads[9]?.map((cell) => Math.round(cell ?? -1));
    expect(nine).toEqual([9_002, 9_003, 9_004, 9_005, 9_006, 9_000, 9_001]);
    expect(reads[12]?.at(-1)).toBeNull();
    expect(means[9]).toBeCloseTo(9_003);
  });

  test('names peaks, the strongest first, also beyond midnight', () => {
    const busy = new Map([
      [9, 900],
      [10, 700],
      [23, 1_500],
      [0, 1_300],
    ]);
    const { peaks, plan } = profile((hour) => busy.get(hour) ?? 100);
    expect(peaks).toMatchObject([
      { fromHour: 23, toHour: 1 },
      { fromHour: 9, toHour: 11 },
    ]);
    expect(peaks[0]?.reads).toBeCloseTo(1_400);
    expect(plan).toEqual({ peakAt: '0 9,23 * * *', timezone: 'Europe/Berlin', hottest: 150 });
  });

  test('has a plan for the days of the week on which the peak is', () => {
    const peakAt = (readsAt: (hour: number, weekday: number) => number): string | undefined =>
      profile(readsAt).plan?.peakAt;
    expect(peakAt((hour) => (hour === 9 ? 900 : 100))).toBe('09:00');
    expect(peakAt((hour, day) => (hour === 9 && isOffice(day) ? 900 : 100))).toBe('0 9 * * 1-5');
    expect(peakAt((hour, day) => (hour === 9 && !isOffice(day) ? 900 : 100))).toBe('0 9 * * 0,6');
  });

  test('has no peak where reads are even, nothing is read, or less than a day is known', () => {
    expect(profile(() => 100)).toMatchObject({ peaks: [], plan: null });
    expect(profile(() => 0)).toMatchObject({ peaks: [], plan: null });
    const today = profile((hour, day) => (day !== 1 ? null : hour === 9 ? 900 : 100));
    expect(today).toMatchObject({ recordedHours: 12, peaks: [], plan: null });
  });

  test('goes by the local clock across its changes', () => {
    const nowMs = Date.parse('2026-10-27T12:30+01:00'); // The clock was put back on the 25th.
    const { peaks, reads, recordedHours } = profile((hour) => (hour === 9 ? 900 : 100), { nowMs });
    expect(peaks).toMatchObject([{ fromHour: 9, toHour: 10 }]);
    expect(recordedHours).toBe(6 * 24 + 1 + 12);
    expect(reads[2]?.map((cell) => Math.round(cell ?? -1))).toEqual(Array(7).fill(100));
  });
});

describe('printed', () => {
  test('a profile is a row an hour, the peaks, and a plan to copy', () => {
    const week = profile((hour, day) => (hour === 9 && isOffice(day) ? 12_300 : 400));
    const lines = printPeaks('product.list', week).split('\n');
    expect(lines[0]).toBe(
      'product.list: reads an hour, local time of Europe/Berlin; 156 hours were written down in the last 7 days',
    );
    expect(lines[2]).toBe(
      '        Tue 17   Wed 18   Thu 19   Fri 20   Sat 21   Sun 22   Mon 23     mean',
    );
    expect(lines[12]).toBe(
      '09:00    12.3K    12.3K    12.3K    12.3K      400      400    12.3K     8.9K  ████████████████████',
    );
    expect(lines.slice(28)).toEqual([
      'peaks: 09:00 to 10:00 (11.8 times the mean hour)',
      '',
      'a plan that has their keys there in time, for the loaders file:',
      '',
      'export const peak = defineWarmUp({',
      "  name: 'product.list-peak',",
      '  loader: productList,',
      "  peakAt: '0 9 * * 1-5',",
      "  timezone: 'Europe/Berlin',",
      "  keys: { hottest: 1_300, of: 'expected' },",
      '});',
    ]);
  });

  test('a loader without history is told of, and how long it takes', () => {
    expect(
      printPeaks(
        'product',
        profile(() => null),
      ),
    ).toBe(
      'no hour of product has been written down yet.\n' +
        'Schedulers do so when an hour is over: the first is there within an hour, a day after 24 hours, a week after 7 days.',
    );
  });

  test('less than a day has no peaks yet, and an even week none', () => {
    const today = profile((_, day) => (day === 1 ? 100 : null));
    expect(printPeaks('product', today)).toMatch(/\n\npeaks are named once 24 hours are there$/);
    expect(
      printPeaks(
        'product',
        profile(() => 5),
      ),
    ).toMatch(/\n\nno peak: no hour of the day/);
  });
});
