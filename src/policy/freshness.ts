import { type Smoothed, upperBound } from './load-time.ts';

const LATE_FACTOR = 1.25;

/** Whether the entry may still be answered without staleness: it expires at `expiresAtMs`, not after. */
export function isFresh(entry: { readonly expiresAtMs: number }, nowMs: number): boolean {
  return nowMs < entry.expiresAtMs;
}

/**
 * Whether nobody refreshed the entry in time, so that a reader should: what is left of its life is
 * shorter than a load may take, max(1.25·δ, δ + 4·deviation).
 */
export function isOverdue(
  entry: { readonly expiresAtMs: number; readonly load: Smoothed },
  nowMs: number,
): boolean {
  const neededMs = Math.max(LATE_FACTOR * entry.load.meanMs, upperBound(entry.load));
  return nowMs > entry.expiresAtMs - neededMs;
}

/** How long after its load an entry may be answered, fresh or stale: as long as Redis keeps it. */
export function lifeMs(loader: {
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
}): number {
  return loader.ttlMs + loader.staleIfErrorMs;
}
