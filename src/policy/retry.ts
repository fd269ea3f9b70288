const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 60_000;

/**
 * How long to wait after a failed refresh, in ms: 250 ms, doubling with each attempt, at most a minute or
 * one ttl; half of it fixed, half random, so that keys that failed together do not retry together.
 *
 * @param failure - `attempt` is 1 after the first failure; `random01` is uniform in [0, 1)
 */
export function retryDelayMs(failure: {
  readonly attempt: number;
  readonly ttlMs: number;
  readonly random01: number;
}): number {
  const doubledMs = FIRST_DELAY_MS * 2 ** Math.max(failure.attempt - 1, 0);
  const fullMs = Math.min(doubledMs, LONGEST_DELAY_MS, failure.ttlMs);
  return (fullMs / 2) * (1 + failure.random01);
}
