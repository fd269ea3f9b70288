/** Lives of refreshed entries that are over: those that somebody read, and those that nobody did. */
export interface Lives {
  readonly used: number;
  readonly wasted: number;
}

/** The threshold of a loader that follows waste, with what its last move was based on. */
export interface WasteControl {
  readonly threshold: number;
  /** Lives judged until the last move, the older the less they count. */
  readonly recent: Lives;
  /** All lives ever judged, as counted at the last move. */
  readonly counted: Lives;
}

const LEAST_THRESHOLD = 2;
const MOST_THRESHOLD = 64;
/** Fewer say too little: of 200 lives the share of wasted ones is known within some 0.03. */
const LEAST_LIVES = 200;
const LARGEST_STEP = 0.1;
/** So far off its budget, the threshold moves by the whole step; nearer, by less, so that it settles. */
const FULL_STEP_OFF = 0.1;
/** Lives after which what was judged before counts half. */
const HALF_LIFE_LIVES = 1_000;

/**
 * Moves θ up while more than the budget's share of refreshed lives were wasted, down while fewer were: by
 * at most a tenth, within [2, 64], and only on at least 200 lives judged since the last move.
 *
 * @param judged - all lives ever judged; fewer than at the last move if the counters were lost
 * @returns null while there is too little evidence to move
 */
export function moveThreshold(
  control: WasteControl,
  judged: Lives,
  wasteBudget: number,
): WasteControl | null {
  const { threshold, counted, recent } = control;
  const wereLost = judged.used < counted.used || judged.wasted < counted.wasted;
  const used = wereLost ? judged.used : judged.used - counted.used;
  const wasted = wereLost ? judged.wasted : judged.wasted - counted.wasted;
  const lives = used + wasted;
  if (lives < LEAST_LIVES) return null;
  const kept = 2 ** (-lives / HALF_LIFE_LIVES);
  const next = { used: kept * recent.used + used, wasted: kept * recent.wasted + wasted };
  const off = (wastedShare(next) - wasteBudget) / FULL_STEP_OFF;
  const moved = threshold * (1 + LARGEST_STEP * Math.min(Math.max(off, -1), 1));
  return {
    threshold: Math.min(Math.max(moved, LEAST_THRESHOLD), MOST_THRESHOLD),
    recent: next,
    counted: judged,
  };
}

/** Share of lives that nobody read; 0 of none. */
export function wastedShare({ used, wasted }: Lives): number {
  return wasted === 0 ? 0 : wasted / (used + wasted);
}
