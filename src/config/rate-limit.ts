import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { RateLimit } from '../core/sliding-window.ts';
import type { RoleOptions } from './options.ts';
import { requiredSpan } from './rules.ts';

export interface LimitOptions {
  /** Permits within any one `per`: 1 to 100,000. */
  readonly max: number;
  /** Length of the sliding window: at least 100 ms. */
  readonly per: Duration;
}

/** What `createRateLimiter` takes: the limiter lives on the queue server. */
export interface RateLimiterOptions extends RoleOptions {
  /** `[A-Za-z0-9_.-]{1,64}`: limiters of one name, `max` and `per` share their permits. */
  readonly name: string;
  /** Permits of one key within any one `per`: 1 to 100,000. */
  readonly max: number;
  /** Length of the sliding window: at least 100 ms. */
  readonly per: Duration;
}

const MOST_PERMITS = 100_000;
const SHORTEST_WINDOW_MS = 100;

/** @throws InvalidOptionError naming the field, its value and the rule */
export function resolveLimit(options: LimitOptions, at: (field: string) => string): RateLimit {
  const perMs = requiredSpan(options.per, at('per'), { min: SHORTEST_WINDOW_MS });
  return { max: checkPermits(options.max, at('max'), MOST_PERMITS), perMs };
}

/** A number of permits that one window can hold. */
export function checkPermits(permits: number, path: string, most: number): number {
  if (Number.isSafeInteger(permits) && permits >= 1 && permits <= most) return permits;
  throw new InvalidOptionError(path, permits, `must be a whole number from 1 to ${most}`);
}
