import type { LoadReason } from './events.ts';
import type { RateLimit } from './sliding-window.ts';

/** What a loader's origin bears. Nulls: no such bound. */
export interface OriginBudget {
  readonly concurrency: number | null;
  readonly rate: RateLimit | null;
  readonly breaker: BreakerSettings | null;
  /** Null: an error's own `retryAfterMs`. */
  readonly retryAfter: ((error: unknown) => number | undefined) | null;
}

export interface BreakerSettings {
  /** So many failed calls of the last `of` open it. */
  readonly failures: number;
  readonly of: number;
  readonly openForMs: number;
}

/** What stands in the way of a call. */
export type RefusedBy = 'rate' | 'concurrency' | 'breaker' | 'retry-after';

/** A call that may not begin, and changes nothing. */
export interface Refusal {
  readonly why: RefusedBy;
  /** Until asking again can succeed, if nobody else is faster. */
  readonly retryAfterMs: number;
  /** For how long the breaker has been open; 0 if it is not. */
  readonly openMs: number;
}

/** How a call ended: the origin answered, it failed, or it was given up and says nothing. */
export type CallEnd = 'answered' | 'failed' | 'none';

/** What a call's end changed for the fleet. */
export type OriginChange = 'opened' | 'closed' | 'paused';

/** Who goes first: somebody waits, somebody will, nobody yet. */
const RANKS: Readonly<Record<LoadReason, number>> = { miss: 0, refresh: 1, warm: 2 };
/** Share of the budget that each rank may use up: the rest is there for those before it. */
const SHARES = [1, 0.8, 0.5];

export function rankOf(reason: LoadReason): number {
  return RANKS[reason];
}

/** The part of a bound that a rank may use up: at least one. */
export function shareOf(bound: number, rank: number): number {
  return Math.max(1, Math.floor(bound * (SHARES[rank] ?? 0)));
}

/** Longest pause that an origin is granted when it asks for one. */
export const LONGEST_PAUSE_MS = 3_600_000;
const LONGEST_RAMP_MS = 10_000;

/** How long the ramp takes after a probe has succeeded: as long as it was open, at most 10 s. */
export function rampMsOf({ openForMs }: BreakerSettings): number {
  return Math.min(openForMs, LONGEST_RAMP_MS);
}

/** Whether an answer is why not, rather than what was asked for. */
export function isRefusal(answer: unknown): answer is Refusal {
  return answer !== null && typeof answer === 'object' && 'why' in answer;
}
