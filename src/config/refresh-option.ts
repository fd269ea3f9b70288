import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { DEFAULTS } from './defaults.ts';
import { checkRefreshMode, type RefreshMode } from './refresh-mode.ts';
import { between, checkObject, LONGEST_LIFE_MS, span } from './rules.ts';

export interface RefreshOptions {
  /** Recent reads (half-life 4 · ttl) that make a key worth refreshing; given, it stays. @defaultValue follows waste, from `8` */
  readonly threshold?: number;
  /** Share of refreshes whose value nobody reads, which the threshold follows. @defaultValue `0.3` */
  readonly wasteBudget?: number;
  /** XFetch's beta: above 1 refreshes earlier, below 1 later. @defaultValue `1` */
  readonly beta?: number;
  /** Share of the ttl over which refreshes spread, 0 to 0.5. @defaultValue `0.1` */
  readonly spread?: number;
  /**
   * A refresh starts at least this long before expiry. Above lockTtl + claimTtl + the load time even a
   * worker killed in mid-load makes no reader wait. At most 0.9 · ttl. @defaultValue `0`
   */
  readonly minLead?: Duration;
  /** `'shadow'`: plan, count and report what would be refreshed, and refresh nothing. @defaultValue `'active'` */
  readonly mode?: RefreshMode;
}

export interface RefreshSettings {
  /** Not at all: neither counted nor refreshed. */
  readonly isOff: boolean;
  readonly mode: RefreshMode;
  /** Null: it follows waste. */
  readonly threshold: number | null;
  readonly wasteBudget: number;
  readonly beta: number;
  readonly spread: number;
  readonly minLeadMs: number;
}

/** @throws InvalidOptionError naming the field, its value and the rule */
export function resolveRefresh(
  given: RefreshOptions | false = {},
  at: (field: string) => string,
  ttlMs: number,
): RefreshSettings {
  const options = given === false ? {} : given;
  checkObject(options, at('refresh'), 'must be an object or false');
  const minLeadMs = span(options.minLead, at('refresh.minLead'), {
    or: DEFAULTS.minLeadMs,
    min: 0,
    max: LONGEST_LIFE_MS,
  });
  if (minLeadMs > 0.9 * ttlMs) {
    const rule = `must be at most 0.9 of the ttl (${ttlMs} ms)`;
    throw new InvalidOptionError(at('refresh.minLead'), options.minLead, rule);
  }
  const { threshold, wasteBudget = DEFAULTS.wasteBudget } = options;
  const { beta = DEFAULTS.beta, spread = DEFAULTS.spread } = options;
  return {
    isOff: given === false,
    mode: checkRefreshMode(options.mode, at('refresh.mode')),
    threshold:
      threshold === undefined ? null : between(threshold, at('refresh.threshold'), [1, 1e6]),
    wasteBudget: between(wasteBudget, at('refresh.wasteBudget'), [0, 1]),
    beta: between(beta, at('refresh.beta'), [0, 100]),
    spread: between(spread, at('refresh.spread'), [0, 0.5]),
    minLeadMs,
  };
}
