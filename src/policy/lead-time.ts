import { type Smoothed, upperBound } from './load-time.ts';

/** Lead and early part together take at most this share of a life: the rest is what the load was for. */
export const MOST_OF_LIFE = 0.9;
/** While its origin bears less than is wanted: scarce calls are for what expires next. */
export const MOST_OF_LIFE_LIMITED = 0.25;

/**
 * How long before expiry a refresh has to be planned for its value to land in time, in ms: an upper bound
 * of load and queue wait plus one tick, at least `minLeadMs`, at most 0.9·ttl or `mostShare` of it.
 */
export function leadMs(parts: {
  readonly load: Smoothed | null;
  readonly wait: Smoothed | null;
  readonly tickMs: number;
  readonly ttlMs: number;
  readonly minLeadMs: number;
  readonly mostShare?: number | undefined;
}): number {
  const { mostShare = MOST_OF_LIFE } = parts;
  const neededMs = upperBound(parts.load) + upperBound(parts.wait) + parts.tickMs;
  return Math.min(Math.max(parts.minLeadMs, neededMs), mostShare * parts.ttlMs);
}

/** A first look that came after the earliest time to refresh could not choose among the others. */
const MARGIN_OF_SPREAD = 1.2;

/**
 * How long before expiry a life is first looked at, in ms: half a ttl, or two leads, or lead and spread, if
 * that is longer; up to 0.9·ttl.
 */
export function lookAheadMs(life: {
  readonly ttlMs: number;
  readonly leadMs: number;
  /** Share of the ttl over which refreshes are spread. */
  readonly spread: number;
}): number {
  const { ttlMs, leadMs, spread } = life;
  const spreadMs = MARGIN_OF_SPREAD * spread * ttlMs;
  return Math.min(Math.max(ttlMs / 2, 2 * leadMs, leadMs + spreadMs), MOST_OF_LIFE * ttlMs);
}

/**
 * When the scheduler looks at a new life for the first time, epoch ms; never in the past. A whole number,
 * as in the tracker a due that ends in .5 is a claim.
 */
export function firstLookMs(life: {
  readonly expiresAtMs: number;
  readonly ttlMs: number;
  readonly leadMs: number;
  readonly spread: number;
  readonly nowMs: number;
}): number {
  return Math.ceil(Math.max(life.nowMs, life.expiresAtMs - lookAheadMs(life)));
}
