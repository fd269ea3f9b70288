/** log2 of the recent reads below which a key counts as faded: a quarter of a read. */
const FADED_LOG2 = Math.log2(0.25);
const MOST_RECENT_READS = 2 ** 40;

/**
 * Half-life of a key's heat, in ms: four times the ttl, so that one number answers "will it be read
 * again within a ttl?".
 */
export function halfLifeMs(ttlMs: number): number {
  return 4 * ttlMs;
}

/**
 * Log-heat L = log2 Σ 2^(tᵢ/h) after `reads` more reads at `atMs`. It grows with every read, never
 * needs rescaling, and its order is the order of current heat.
 *
 * @param logHeat - the log-heat so far, null for a key that was never read
 * @param reads - how many reads; a sampled read counts as 1/p of them
 * @param at - instant of the reads and half-life, in ms; one log-heat has one half-life for ever
 */
export function addReads(
  logHeat: number | null,
  reads: number,
  at: { readonly atMs: number; readonly halfLifeMs: number },
): number {
  const added = at.atMs / at.halfLifeMs + Math.log2(reads);
  if (logHeat === null) return added;
  const low = Math.min(logHeat, added);
  const high = Math.max(logHeat, added);
  if (low === Number.NEGATIVE_INFINITY) return high;
  return high + Math.log1p(2 ** (low - high)) * Math.LOG2E;
}

/** Reads of late, each halved per half-life: N(now) = 2^(L − now/h), within [0, 2^40]; 0 if never read. */
export function recentReads(
  logHeat: number | null,
  at: { readonly nowMs: number; readonly halfLifeMs: number },
): number {
  if (logHeat === null) return 0;
  return Math.min(2 ** (logHeat - at.nowMs / at.halfLifeMs), MOST_RECENT_READS);
}

/** The log-heat of a key with that many recent reads. */
export function logHeatOf(
  recent: number,
  at: { readonly nowMs: number; readonly halfLifeMs: number },
): number {
  return at.nowMs / at.halfLifeMs + Math.log2(recent);
}

/** Reads per ms of a steadily read key with that many recent reads: λ = N·ln2/h. */
export function readRate(recent: number, halfLifeMs: number): number {
  return (recent * Math.LN2) / halfLifeMs;
}

/** The log-heat below which a key has faded by now (less than a quarter of a recent read). */
export function fadedBelow(at: { readonly nowMs: number; readonly halfLifeMs: number }): number {
  return at.nowMs / at.halfLifeMs + FADED_LOG2;
}
