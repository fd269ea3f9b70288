import { type Smoothed, upperBound } from './load-time.ts';

const LATE_FACTOR = 1.25;

/** Whether the entry may still be answered without staleness: it expires at `expiresAtMs`, not after. */
export function isFresh(entry: { readonly expiresAtMs: number }, nowMs: number): boolean {
  return nowMs < entry.expiresAtMs;
}

/** How long after its expiry a value may be served, in ms. */
export interface Staleness {
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
}

/** What an entry is good for: an answer, one while it is loaded anew, one if that fails, or nothing. */
export type Usability = 'fresh' | 'revalidate' | 'on-error' | 'none';

/** A softly invalidated entry is never fresh, but serves as long as it would have without that. */
export function usability(
  entry: { readonly expiresAtMs: number; readonly invalidated: boolean },
  { staleWhileRevalidateMs, staleIfErrorMs }: Staleness,
  nowMs: number,
): Usability {
  if (isFresh(entry, nowMs)) return entry.invalidated ? 'revalidate' : 'fresh';
  const staleMs = nowMs - entry.expiresAtMs;
  if (staleMs < staleWhileRevalidateMs) return 'revalidate';
  return staleMs < staleIfErrorMs ? 'on-error' : 'none';
}

/**
 * From when on nobody has refreshed the entry in time, epoch ms: what is left of its life is then shorter
 * than a load may take, max(1.25·δ, δ + 4·deviation).
 */
export function overdueAtMs(entry: {
  readonly expiresAtMs: number;
  readonly load: Smoothed;
}): number {
  return entry.expiresAtMs - Math.max(LATE_FACTOR * entry.load.meanMs, upperBound(entry.load));
}

/** Whether a reader should refresh the entry itself. */
export function isOverdue(
  entry: { readonly expiresAtMs: number; readonly load: Smoothed },
  nowMs: number,
): boolean {
  return nowMs > overdueAtMs(entry);
}

/** How long after its load an entry may be answered, fresh or stale: as long as Redis keeps it. */
export function lifeMs(loader: {
  readonly ttlMs: number;
  readonly keptStaleMs: number;
  readonly notFoundTtlMs?: number | null;
}): number {
  return Math.max(loader.ttlMs, loader.notFoundTtlMs ?? 0) + loader.keptStaleMs;
}
