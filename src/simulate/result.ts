import type { Tally } from './score.ts';

/** What a policy came to; null where there was nothing to divide by. */
export interface PolicyResult {
  /** Reads that had to wait for the origin. */
  readonly waitPercent: number | null;
  /** Of the reads of hot keys. */
  readonly hotWaitPercent: number | null;
  /** Reads that were answered with an expired value. */
  readonly stalePercent: number | null;
  readonly originLoads: number;
  /** Loads over those of `plain`. */
  readonly extraLoadsPercent: number | null;
  /** Of the refreshed values whose life was over, those that nobody read. */
  readonly wastedPercent: number | null;
  /** Loads of the busiest second over the mean. */
  readonly peakToMean: number | null;
  /** Of the waits that the oracle avoids, how many this avoids. */
  readonly ofOraclePercent: number | null;
}

/** @param against - what it is compared with, and the seconds that were counted */
export function resultOf(
  tally: Tally,
  against: { readonly plain: Tally; readonly oracle: Tally; readonly seconds: number },
): PolicyResult {
  const { plain, oracle, seconds } = against;
  return {
    waitPercent: percent(tally.waits, tally.reads),
    hotWaitPercent: percent(tally.hotWaits, tally.hotReads),
    stalePercent: percent(tally.staleReads, tally.reads),
    originLoads: tally.loads,
    extraLoadsPercent: percent(tally.loads - plain.loads, plain.loads),
    wastedPercent: percent(tally.wastedLives, tally.refreshedLives),
    peakToMean: quotient(tally.busiestSecond * seconds, tally.loads),
    ofOraclePercent: percent(plain.waits - tally.waits, plain.waits - oracle.waits),
  };
}

function percent(part: number, whole: number): number | null {
  return quotient(100 * part, whole);
}

/** To two decimals. */
function quotient(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((100 * part) / whole) / 100;
}
