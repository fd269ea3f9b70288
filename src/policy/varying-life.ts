/** A life that its load seems to have taken up: as long as nobody knows better, this share of all. */
const SHORTEST_SHARE = 0.1;

/** The times of a loader whose entries may live for other spans than its ttl. */
export interface Lives {
  readonly ttlMs: number;
  /** Not null: each value has a ttl of its own. */
  readonly ttlOf: unknown;
  /** Not null: that there is nothing is stored for so long. */
  readonly notFoundTtlMs: number | null;
}

/** Whether the loader's ttl does not tell how long one of its entries lives. */
export function livesVary({ ttlOf, notFoundTtlMs }: Lives): boolean {
  return ttlOf !== null || notFoundTtlMs !== null;
}

/** The shortest life that is known beforehand, in ms: what ticks and flushes keep step with. */
export function shortestLifeMs({ ttlMs, notFoundTtlMs }: Lives): number {
  return Math.min(ttlMs, notFoundTtlMs ?? ttlMs);
}

/**
 * How long an entry is fresh, in ms, told from its header: from the end of its load to its expiry. The
 * smoothed load time stands for the load's own, which the header does not have.
 */
export function ownLifeMs(entry: {
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly load: { readonly meanMs: number };
}): number {
  const withLoadMs = entry.expiresAtMs - entry.createdAtMs;
  return Math.max(withLoadMs - entry.load.meanMs, SHORTEST_SHARE * withLoadMs);
}

/** From so many ttls on a life is longer because it was warmed for that, not because its load took long. */
const SHORTEST_WARMED = 2;

/** The life an entry is planned by: its own where lives vary, and where it was warmed for longer than its ttl. */
export function plannedLifeMs(
  entry: Parameters<typeof ownLifeMs>[0],
  { ttlMs, livesVary }: { readonly ttlMs: number; readonly livesVary: boolean },
): number {
  const ownMs = ownLifeMs(entry);
  return livesVary || ownMs >= SHORTEST_WARMED * ttlMs ? ownMs : ttlMs;
}
