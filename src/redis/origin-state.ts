import { type OriginBudget, rampMsOf } from '../core/origin.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';

/** What the fleet knows of a loader's origin at this moment. Instants are epoch ms of the queue server. */
export interface OriginState {
  readonly breaker: 'closed' | 'open' | 'half-open' | 'ramping';
  /** End of the open time or of the ramp; null in the other states. */
  readonly untilMs: number | null;
  /** End of the pause that an error has asked for; null: none. */
  readonly pausedUntilMs: number | null;
  /** Calls that are under way. */
  readonly inFlight: number;
  /** Null: none is given. `nextInMs` is when a miss can have the next permit, 0: now. */
  readonly rate: { readonly max: number; readonly perMs: number; readonly nextInMs: number } | null;
  /** Somebody is refused, or was just now: there is less of the origin than is wanted. */
  readonly isLimiting: boolean;
}

type BudgetedLoader = NamedLoader & { readonly origin: OriginBudget | null };

/** So long after a refusal an origin counts as limiting. */
const LIMITING_MS = 2_000;

/** Reads what the fleet knows of the origin of a loader; null: it has no budget. Rejects when Redis does not answer. */
export async function readOriginState(
  redis: RedisClient,
  { keys, loader }: { readonly keys: Keys; readonly loader: BudgetedLoader },
  nowMs: number,
): Promise<OriginState | null> {
  const { origin: budget } = loader;
  if (budget === null) return null;
  const { origin, leases } = keys.origin(loader);
  const { rate, breaker } = budget;
  const [fields, inFlight, nth] = await Promise.all([
    redis.hmget(origin, 'retryUntil', 'openUntil', 'rampFrom', 'refusedAt'),
    redis.zcount(leases, nowMs, '+inf'),
    rate ? redis.lindex(keys.limit(loader, rate).grants, -rate.max) : null,
  ]);
  const [retryUntilMs = 0, openUntilMs = 0, rampFromMs = 0, refusedAtMs = 0] = fields.map(Number);
  const rampMs = breaker ? rampMsOf(breaker) : 0;
  const state = breakerAt({ openUntilMs, rampUntilMs: rampFromMs && rampFromMs + rampMs }, nowMs);
  const pausedUntilMs = retryUntilMs > nowMs ? retryUntilMs : null;
  const nextInMs = rate && nth ? Math.max(0, Number(nth) / 1_000 + rate.perMs - nowMs) : 0;
  const wasRefused = nowMs - refusedAtMs < LIMITING_MS;
  return {
    ...state,
    pausedUntilMs,
    inFlight,
    rate: rate && { ...rate, nextInMs },
    isLimiting: state.breaker !== 'closed' || pausedUntilMs !== null || wasRefused,
  };
}

function breakerAt(
  { openUntilMs, rampUntilMs }: { readonly openUntilMs: number; readonly rampUntilMs: number },
  nowMs: number,
): Pick<OriginState, 'breaker' | 'untilMs'> {
  if (openUntilMs === 0) return { breaker: 'closed', untilMs: null };
  if (rampUntilMs > nowMs) return { breaker: 'ramping', untilMs: rampUntilMs };
  if (rampUntilMs > 0) return { breaker: 'closed', untilMs: null };
  if (openUntilMs > nowMs) return { breaker: 'open', untilMs: openUntilMs };
  return { breaker: 'half-open', untilMs: null };
}
