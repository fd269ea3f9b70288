import { derived01, earlyPartMs, hash32 } from './xfetch.ts';

const CANDIDATES = 4;
const LIFE_SEED = 1;

/** A life that has to be refreshed, or not, before it ends. */
export interface EndingLife {
  readonly key: string;
  readonly expiresAtMs: number;
  readonly ttlMs: number;
  readonly leadMs: number;
  /** λ, reads per ms. */
  readonly ratePerMs: number;
  /** δ, smoothed load time. */
  readonly loadMs: number;
  /** XFetch β. */
  readonly beta: number;
  /** Share of the ttl over which refreshes are spread. */
  readonly spread: number;
}

/**
 * Four instants at which the life may be refreshed, epoch ms, fixed by key and expiry. The first is as late
 * as lead and XFetch allow, where most of a life is used; the others lie anywhere in the spread.
 */
export function refreshTimesMs(life: EndingLife): readonly number[] {
  const { key, expiresAtMs, ttlMs, leadMs, ratePerMs, loadMs, beta, spread } = life;
  const hash = hash32(`${key}:${expiresAtMs}`, LIFE_SEED);
  const times: number[] = [];
  for (let at = 0; at < CANDIDATES; at++) {
    const u = derived01(hash, 2 * at);
    const v = at === 0 ? 0 : derived01(hash, 2 * at + 1);
    const early = earlyPartMs({ ratePerMs, loadMs, beta, u, v, spread, ttlMs, leadMs });
    times.push(Math.ceil(expiresAtMs - leadMs - early));
  }
  return times;
}

/** The time with the fewest refreshes planned around it, of equals the latest. */
export function leastPlannedMs(
  timesMs: readonly number[],
  plannedAt: (atMs: number) => number,
): number {
  let bestMs = Number.NEGATIVE_INFINITY;
  let fewest = Number.POSITIVE_INFINITY;
  for (const timeMs of timesMs) {
    const planned = plannedAt(timeMs);
    if (planned > fewest || (planned === fewest && timeMs <= bestMs)) continue;
    bestMs = timeMs;
    fewest = planned;
  }
  return bestMs;
}
