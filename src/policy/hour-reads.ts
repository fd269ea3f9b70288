import { readRate } from './heat.ts';

/** The recent reads of all hot keys of a loader, when an hour was over. */
export interface HourHeat {
  readonly recentReads: number;
  readonly atMs: number;
  readonly halfLifeMs: number;
}

const HOUR_MS = 3_600_000;

/**
 * Reads of an hour, by what its end has that is not left of the end of the hour before. Where heat is short
 * of memory, or nobody knows the hour before, the pace of the last reads stands for all of it.
 */
export function readsOfHour(end: HourHeat, before: HourHeat | null): number {
  const { recentReads, halfLifeMs } = end;
  const isComparable = before?.halfLifeMs === halfLifeMs && before.atMs < end.atMs;
  const spanMs = isComparable ? end.atMs - before.atMs : Number.POSITIVE_INFINITY;
  const left = 2 ** (-spanMs / halfLifeMs);
  const added = recentReads - (before && isComparable ? left * before.recentReads : 0);
  return Math.max(0, HOUR_MS * readRate(added / (1 - left), halfLifeMs)) || 0;
}
