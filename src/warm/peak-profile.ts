import { type HourHeat, readsOfHour } from '../policy/hour-reads.ts';
import type { Zone } from './zone.ts';

/** What an hour's record says of all keys together. */
export interface HourSummary extends HourHeat {
  /** Counted from the epoch. */
  readonly hour: number;
  /** How many keys took most of the reads. */
  readonly hotKeys: number;
}

/** Hours of the local day in which more is read than in others. */
export interface Peak {
  readonly fromHour: number;
  /** Exclusive, 1 to 24; before `fromHour` where the peak lasts beyond midnight. */
  readonly toHour: number;
  /** Reads an hour, and how many times the mean hour that is. */
  readonly reads: number;
  readonly times: number;
}

/** What `defineWarmUp` needs to have the peaks' keys there. */
export interface SuggestedPlan {
  readonly peakAt: string;
  readonly timezone: string;
  readonly hottest: number;
}

export interface PeakProfile {
  readonly timezone: string;
  /** Local dates, oldest first. */
  readonly days: readonly string[];
  /** Of each hour of the day the reads on each of the days; null where nobody wrote them down. */
  readonly reads: readonly (readonly (number | null)[])[];
  /** Of each hour of the day over all days. */
  readonly means: readonly (number | null)[];
  readonly recordedHours: number;
  /** The strongest first. */
  readonly peaks: readonly Peak[];
  readonly plan: SuggestedPlan | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS: readonly number[] = Array.from({ length: 24 }, (_, hour) => hour);
export const PROFILE_DAYS = 7;
/** Peaks stand out from the hours of a day: with fewer there is nothing that they stand out from. */
export const LEAST_HOURS = 24;
const PEAK_TIMES = 1.5;
/** With less than that share of the reads of the other days, days are none of a peak. */
const QUIET_SHARE = 0.5;
const MOST_HOTTEST = 10_000;

/** The hours of which `peakProfile` has use: those of its days that are over, and the one before them. */
export function profileHours(nowMs: number, zone: Zone): number[] {
  const firstDayMs = Math.floor(zone.wallMs(nowMs) / DAY_MS) * DAY_MS - (PROFILE_DAYS - 1) * DAY_MS;
  const first = Math.floor(zone.instantMs(firstDayMs) / HOUR_MS) - 1;
  const end = Math.floor(nowMs / HOUR_MS);
  return Array.from({ length: end - first }, (_, at) => first + at);
}

/** A week of a loader's reads by local day and hour, its peaks, and a plan for them. */
export function peakProfile(
  summaries: readonly HourSummary[],
  nowMs: number,
  zone: Zone,
): PeakProfile {
  const days = daysUntil(nowMs, zone);
  const byHour = new Map(summaries.map((summary) => [summary.hour, summary]));
  const cells = HOURS.map(() => days.map((): number[] => []));
  const hotKeys = HOURS.map(() => 0);
  let recordedHours = 0;
  for (const summary of summaries) {
    const { day, hourOfDay } = localHour(summary.hour, zone);
    const cell = cells[hourOfDay]?.[days.indexOf(day)];
    if (!cell) continue;
    recordedHours++;
    cell.push(readsOfHour(summary, byHour.get(summary.hour - 1) ?? null));
    hotKeys[hourOfDay] = Math.max(hotKeys[hourOfDay] ?? 0, summary.hotKeys);
  }
  const reads = cells.map((row) => row.map(meanOf));
  const means = reads.map(meanOf);
  const peaks = recordedHours < LEAST_HOURS ? [] : peaksOf(means);
  const timezone = zone.name;
  const plan = planOf(peaks, { timezone, days, reads, hotKeys });
  return { timezone, days, reads, means, recordedHours, peaks, plan };
}

function daysUntil(nowMs: number, zone: Zone): string[] {
  const todayMs = zone.wallMs(nowMs);
  return Array.from({ length: PROFILE_DAYS }, (_, at) =>
    dateOf(todayMs - (PROFILE_DAYS - 1 - at) * DAY_MS),
  );
}

function localHour(hour: number, zone: Zone): { day: string; hourOfDay: number } {
  const wallMs = zone.wallMs(hour * HOUR_MS);
  return { day: dateOf(wallMs), hourOfDay: new Date(wallMs).getUTCHours() };
}

function dateOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** Null without any. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
}

function peaksOf(means: readonly (number | null)[]): Peak[] {
  const mean = meanOf(means) ?? 0;
  const isPeak = (hour: number): boolean =>
    mean > 0 && (means[hour % 24] ?? 0) >= PEAK_TIMES * mean;
  // Not all hours can be: the first that is none is where a peak beyond midnight is not cut.
  const start = HOURS.find((hour) => !isPeak(hour)) ?? 0;
  const groups: number[][] = [];
  for (let hour = start; hour < start + 24; hour++) {
    if (!isPeak(hour)) continue;
    const last = groups.at(-1);
    if (last?.at(-1) === hour - 1) last.push(hour);
    else groups.push([hour]);
  }
  const peaks = groups.map((hours): Peak => {
    const reads = meanOf(hours.map((hour) => means[hour % 24] ?? null)) ?? 0;
    const fromHour = (hours[0] ?? 0) % 24;
    return { fromHour, toHour: ((hours.at(-1) ?? 0) % 24) + 1, reads, times: reads / mean };
  });
  return peaks.sort((one, other) => other.reads - one.reads);
}

interface Week extends Pick<PeakProfile, 'timezone' | 'days' | 'reads'> {
  /** Of each hour of the day, on its widest day. */
  readonly hotKeys: readonly number[];
}

/** For the strongest peak, and those on the same days of the week. */
function planOf(peaks: readonly Peak[], week: Week): SuggestedPlan | null {
  const [strongest] = peaks;
  if (!strongest) return null;
  const weekdays = weekdaysOf(strongest, week);
  const planned = peaks.filter((peak) => weekdaysOf(peak, week) === weekdays);
  const hours = planned.map(({ fromHour }) => fromHour).sort((one, other) => one - other);
  const widest = Math.max(...planned.flatMap(hoursOf).map((hour) => week.hotKeys[hour] ?? 0));
  const isDaily = weekdays === '*' && hours.length === 1;
  return {
    peakAt: isDaily ? clockTime(strongest.fromHour) : `0 ${hours.join(',')} * * ${weekdays}`,
    timezone: week.timezone,
    hottest: Math.min(MOST_HOTTEST, roundedUp(widest)),
  };
}

function hoursOf({ fromHour, toHour }: Peak): number[] {
  const count = (toHour - fromHour + 24) % 24 || 24;
  return Array.from({ length: count }, (_, at) => (fromHour + at) % 24);
}

/** On which days of the week a peak is, as cron has them. */
function weekdaysOf(peak: Peak, { days, reads }: Week): '*' | '1-5' | '0,6' {
  const isWeekend = days.map((day) => [0, 6].includes(new Date(`${day}T00:00Z`).getUTCDay()));
  const rows = hoursOf(peak).map((hour) => reads[hour] ?? []);
  const mean = (ofWeekend: boolean): number | null =>
    meanOf(rows.flatMap((row) => row.filter((_, at) => isWeekend[at] === ofWeekend)));
  const weekend = mean(true);
  const week = mean(false);
  if (weekend === null || week === null) return '*';
  if (weekend < QUIET_SHARE * week) return '1-5';
  return week < QUIET_SHARE * weekend ? '0,6' : '*';
}

/** `09:00`. */
export function clockTime(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}

/** To two digits that count, and at least a hundred. */
function roundedUp(count: number): number {
  if (count <= 100) return 100;
  const unit = 10 ** (Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / unit) * unit;
}
