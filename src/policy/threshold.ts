/** Recent reads of a key that was read twice within a half-life, at least: the least to judge by. */
export const LOWEST_THRESHOLD = 1.5;

/**
 * Recent reads from which a key is worth a refresh while its tracker is young. After an age a, a key read
 * at a steady rate has gathered N·(1 − 2^(−a/h)) of the recent reads N it will have in the end, so the
 * threshold for N is scaled likewise: from the start the same rate of reads is worth a refresh.
 */
export function thresholdAt(
  threshold: number,
  tracker: { readonly ageMs: number; readonly halfLifeMs: number },
): number {
  const gathered = 1 - 2 ** (-Math.max(tracker.ageMs, 0) / tracker.halfLifeMs);
  return Math.max(Math.min(threshold, LOWEST_THRESHOLD), threshold * gathered);
}
