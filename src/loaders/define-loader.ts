import { DEFAULTS } from '../config/defaults.ts';
import { checkName, count, LONGEST_LIFE_MS, requiredSpan, span } from '../config/rules.ts';
import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { LoadReason } from '../core/events.ts';

export interface LoadContext {
  /** Aborts on timeout, lost lock and shutdown; never because one reader gave up. */
  readonly signal: AbortSignal;
  /** Who asked: a reader that waits, the scheduler, or a warm-up. */
  readonly reason: LoadReason;
  /** The key text of the params. */
  readonly key: string;
  /** 1, and one more for each failed refresh of this key in a row. */
  readonly attempt: number;
}

export type LoadManyContext = Omit<LoadContext, 'key'> & { readonly keys: readonly string[] };

export interface LoaderDefinition<P, R> {
  /** `[A-Za-z0-9_.-]{1,64}`: part of key names, queue names and metrics. */
  readonly name: string;
  /** How long a value stays fresh, counted from the end of its load; at least 100 ms. */
  readonly ttl: Duration;
  /** Raise it when the value's shape changes: a new shape never meets old entries. @defaultValue `1` */
  readonly version?: number;
  /** Computes one value; `undefined` means that there is none (then nothing is stored). */
  readonly load: (params: P, context: LoadContext) => R | Promise<R>;
  /** Computes many in one call: an answer per params, in their order; an Error fails its key alone. */
  readonly loadMany?: (
    params: readonly P[],
    context: LoadManyContext,
  ) => Promise<readonly (R | Error | undefined)[]>;
  /** A load that has not settled by then is aborted and counts as failed. @defaultValue `'30s'` */
  readonly loadTimeout?: Duration;
  /** A failed load is answered with the expired value for so long after expiry. @defaultValue the ttl */
  readonly staleIfError?: Duration;
  /** What `invalidateTags` finds a key by: at most 32 tags of at most 256 bytes each. @defaultValue none */
  readonly tags?: (params: P) => readonly string[];
  /** When and whether this loader's keys are refreshed. */
  readonly refresh?: RefreshOptions;
}

export interface RefreshOptions {
  /** Recent reads (half-life 4 · ttl) that make a key worth refreshing. @defaultValue `8` */
  readonly threshold?: number;
  /** XFetch's beta: above 1 refreshes earlier, below 1 later. @defaultValue `1` */
  readonly beta?: number;
  /** Share of the ttl over which refreshes spread, 0 to 0.5. @defaultValue `0.1` */
  readonly spread?: number;
  /**
   * A refresh starts at least this long before expiry. Above lockTtl + claimTtl + the load time even a
   * worker killed in mid-load makes no reader wait. At most 0.9 · ttl. @defaultValue `0`
   */
  readonly minLead?: Duration;
}

/** A validated definition: what `get` takes and what workers run. */
export interface Loader<P, R> {
  readonly name: string;
  readonly version: number;
  readonly ttlMs: number;
  readonly loadTimeoutMs: number;
  readonly staleIfErrorMs: number;
  readonly refresh: RefreshSettings;
  load(params: P, context: LoadContext): R | Promise<R>;
  readonly loadMany: LoaderDefinition<P, R>['loadMany'];
  readonly tags: LoaderDefinition<P, R>['tags'];
}

export interface RefreshSettings {
  readonly threshold: number;
  readonly beta: number;
  readonly spread: number;
  readonly minLeadMs: number;
}

/** Any loader, whatever its params and result. */
export type AnyLoader = Loader<never, unknown>;

const MIN_TTL_MS = 100;

/**
 * Names a way to compute values, so that any process can refresh any of its keys.
 *
 * @example
 * ```ts
 * export const product = defineLoader({
 *   name: 'product',
 *   ttl: '5m',
 *   load: async (id: string, { signal }) => db.product(id, { signal }),
 * });
 * ```
 * @throws InvalidOptionError naming the field, its value and the rule
 */
export function defineLoader<P, R>(definition: LoaderDefinition<P, R>): Loader<P, Awaited<R>> {
  const name = checkName(definition.name, 'name');
  const at = (field: string): string => `loader "${name}": ${field}`;
  const ttlMs = requiredSpan(definition.ttl, at('ttl'), { min: MIN_TTL_MS, max: LONGEST_LIFE_MS });
  checkFunctions(definition, at);
  return Object.freeze({
    name,
    version: count(definition.version, at('version'), 1),
    ttlMs,
    loadTimeoutMs: span(definition.loadTimeout, at('loadTimeout'), {
      or: DEFAULTS.loadTimeoutMs,
      min: 1,
    }),
    staleIfErrorMs: span(definition.staleIfError, at('staleIfError'), {
      or: ttlMs,
      min: 0,
      max: LONGEST_LIFE_MS,
    }),
    refresh: resolveRefresh(definition.refresh ?? {}, at, ttlMs),
    load: definition.load,
    loadMany: definition.loadMany,
    tags: definition.tags,
  }) as Loader<P, Awaited<R>>;
}

type Path = (field: string) => string;

function checkFunctions(definition: LoaderDefinition<never, unknown>, at: Path): void {
  for (const field of ['load', 'loadMany', 'tags'] as const) {
    const value = definition[field];
    if (typeof value === 'function' || (field !== 'load' && value === undefined)) continue;
    throw new InvalidOptionError(at(field), value, 'must be a function');
  }
}

function resolveRefresh(options: RefreshOptions, at: Path, ttlMs: number): RefreshSettings {
  const minLeadMs = span(options.minLead, at('refresh.minLead'), {
    or: DEFAULTS.minLeadMs,
    min: 0,
    max: LONGEST_LIFE_MS,
  });
  if (minLeadMs > 0.9 * ttlMs) {
    const rule = `must be at most 0.9 of the ttl (${ttlMs} ms)`;
    throw new InvalidOptionError(at('refresh.minLead'), options.minLead, rule);
  }
  return {
    threshold: between(options.threshold ?? DEFAULTS.threshold, at('refresh.threshold'), [1, 1e6]),
    beta: between(options.beta ?? DEFAULTS.beta, at('refresh.beta'), [0, 100]),
    spread: between(options.spread ?? DEFAULTS.spread, at('refresh.spread'), [0, 0.5]),
    minLeadMs,
  };
}

function between(value: number, path: string, [low, high]: readonly [number, number]): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw new InvalidOptionError(path, value, `must be a number from ${low} to ${high}`);
}
