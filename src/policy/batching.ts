const LEAST_JOBS = 8;
export const MOST_KEYS_PER_JOB = 100;
export const MOST_JOB_BYTES: number = 64 * 1_024;
/** Of refreshes. */
export const LOWEST_PRIORITY = 32;

/**
 * How many keys one job carries when `count` keys are enqueued at once: one up to eight jobs, then as many
 * as still leave eight jobs for the workers to share, at most 100.
 */
export function packSizes(count: number): number {
  if (count > LEAST_JOBS * MOST_KEYS_PER_JOB) {
    return Math.ceil(count / Math.ceil(count / MOST_KEYS_PER_JOB));
  }
  return Math.max(1, Math.floor(count / LEAST_JOBS));
}

/**
 * Queue priority of a refresh, 1 (now) to 32, lower is sooner: one step per doubling of the time left, so
 * that a queue holds few different priorities and the urgent ones are told apart best.
 */
export function urgencyPriority(msUntilExpiry: number): number {
  if (msUntilExpiry <= 1) return 1;
  return Math.min(1 + Math.floor(Math.log2(msUntilExpiry)), LOWEST_PRIORITY);
}
