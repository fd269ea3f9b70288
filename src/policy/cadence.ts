const FLUSHES_PER_TTL = 16;
const MIN_FLUSH_MS = 100;
const TICKS_PER_TTL = 20;
const MIN_TICK_MS = 50;
const MAX_IDLE_MS = 1_000;

/** How often counted reads are sent, in ms: a key's second read must be known before its first life ends. */
export function flushMs(intervalMs: number, shortestLifeMs: number): number {
  return Math.max(MIN_FLUSH_MS, Math.min(intervalMs, shortestLifeMs / FLUSHES_PER_TTL));
}

/** The shortest pause between two ticks, in ms. */
export function tickMs(intervalMs: number, shortestLifeMs: number): number {
  return Math.max(MIN_TICK_MS, Math.min(intervalMs, shortestLifeMs / TICKS_PER_TTL));
}

/** The longest pause between two ticks, in ms: reads may make a key due at any time. */
export function idleMs(tickMs: number, shortestLifeMs: number): number {
  return Math.max(tickMs, Math.min(MAX_IDLE_MS, shortestLifeMs / TICKS_PER_TTL));
}

/** How long a claim on keys lasts, in ms: long enough for them to land. */
export function claimMs(claimTtlMs: number, leadMs: number): number {
  return Math.max(claimTtlMs, 3 * leadMs);
}
