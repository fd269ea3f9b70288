import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { OriginBudget } from '../core/origin.ts';
import { type LimitOptions, resolveLimit } from './rate-limit.ts';
import { checkObject, requiredSpan } from './rules.ts';

/** What a loader's origin bears, kept to by the whole fleet. */
export interface OriginOptions {
  /** Calls at a time: 1 to 10,000. */
  readonly concurrency?: number;
  /** Calls within any one `per`: what `limit` is short for. */
  readonly rate?: LimitOptions;
  /** Leave it alone while it fails. */
  readonly breaker?: BreakerOptions;
  /** Milliseconds for which an error asks not to be called again, or undefined. @defaultValue the error's own `retryAfterMs` */
  readonly retryAfter?: (error: unknown) => number | undefined;
}

export interface BreakerOptions {
  /** So many failed calls, whoever made them, open it: 1 to 10,000. */
  readonly failures: number;
  /** Of so many calls, the last ones: at most 10,000. @defaultValue as `failures`: in a row */
  readonly of?: number;
  /** How long it stays open before one call may try: 100 ms to 1 h. */
  readonly openFor: Duration;
}

const MOST_CALLS = 10_000;
const SHORTEST_OPEN_MS = 100;
const LONGEST_OPEN_MS = 3_600_000;

/** Null: nothing is known of its origin, so its loads ask nobody. @throws InvalidOptionError naming the field, its value and the rule */
export function resolveOrigin(
  definition: { readonly limit?: LimitOptions; readonly origin?: OriginOptions },
  at: (field: string) => string,
): OriginBudget | null {
  const { limit, origin } = definition;
  if (limit !== undefined) checkObject(limit, at('limit'), 'must be { max, per }');
  const short = limit ? resolveLimit(limit, (field) => at(`limit.${field}`)) : null;
  if (origin === undefined) {
    return short && { concurrency: null, rate: short, breaker: null, retryAfter: null };
  }
  checkObject(origin, at('origin'), 'must be { concurrency, rate, breaker, retryAfter }');
  const { concurrency, rate, breaker, retryAfter } = origin;
  if (limit !== undefined && rate !== undefined) {
    throw new InvalidOptionError(at('limit'), limit, 'is the same as `origin.rate`: give one');
  }
  if (retryAfter !== undefined && typeof retryAfter !== 'function') {
    throw new InvalidOptionError(at('origin.retryAfter'), retryAfter, 'must be a function');
  }
  return {
    concurrency: concurrency === undefined ? null : calls(concurrency, at('origin.concurrency')),
    rate: rate === undefined ? short : resolveRate(rate, at),
    breaker: breaker === undefined ? null : resolveBreaker(breaker, at),
    retryAfter: retryAfter ?? null,
  };
}

function resolveRate(rate: LimitOptions, at: (field: string) => string): OriginBudget['rate'] {
  checkObject(rate, at('origin.rate'), 'must be { max, per }');
  return resolveLimit(rate, (field) => at(`origin.rate.${field}`));
}

function resolveBreaker(
  breaker: BreakerOptions,
  at: (field: string) => string,
): OriginBudget['breaker'] {
  checkObject(breaker, at('origin.breaker'), 'must be { failures, of, openFor }');
  const bounds = { min: SHORTEST_OPEN_MS, max: LONGEST_OPEN_MS };
  const failures = calls(breaker.failures, at('origin.breaker.failures'));
  const of = breaker.of === undefined ? failures : calls(breaker.of, at('origin.breaker.of'));
  if (of < failures) {
    const rule = `must be at least \`failures\` (${failures})`;
    throw new InvalidOptionError(at('origin.breaker.of'), of, rule);
  }
  return {
    failures,
    of,
    openForMs: requiredSpan(breaker.openFor, at('origin.breaker.openFor'), bounds),
  };
}

function calls(value: number, path: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= MOST_CALLS) return value;
  throw new InvalidOptionError(path, value, `must be a whole number from 1 to ${MOST_CALLS}`);
}
