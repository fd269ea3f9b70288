import { DEFAULTS } from '../config/defaults.ts';
import { LONGEST_LIFE_MS, requiredSpan, span } from '../config/rules.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { decodeKey } from './key-codec.ts';

/** How long a load may take: the reader's patience while there is a stale value, and the end. */
export interface LoadTimeouts {
  /** A reader who could be answered with a stale value waits so long; the load goes on. @defaultValue none */
  readonly soft?: Duration;
  /** A load that has not settled by then is aborted and counts as failed. @defaultValue `'30s'` */
  readonly hard?: Duration;
}

/** The times of a definition, as the user writes them. */
export interface TimeOptions {
  readonly ttl: Duration | ((value: never, params: never) => Duration);
  readonly nominalTtl?: Duration;
  readonly notFoundTtl?: Duration;
  readonly staleWhileRevalidate?: Duration;
  readonly staleIfError?: Duration;
  readonly maxStaleness?: Duration;
  readonly loadTimeout?: Duration | LoadTimeouts;
}

export interface LoaderTimes {
  /** The nominal ttl where lives differ: what heat and planning reckon with. */
  readonly ttlMs: number;
  /** The ttl of one value; null: all live for `ttlMs`. */
  readonly ttlOf: ((value: never, params: never) => Duration) | null;
  /** Null: that there is nothing is not stored. */
  readonly notFoundTtlMs: number | null;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** How long Redis keeps an entry after its expiry. */
  readonly keptStaleMs: number;
  readonly loadTimeoutMs: number;
  readonly softTimeoutMs: number | null;
}

type Path = (field: string) => string;

const MIN_TTL_MS = 100;
const ANY_LIFE = { min: 0, max: LONGEST_LIFE_MS } as const;

/** @throws InvalidOptionError naming the field, its value and the rule */
export function resolveTimes(definition: TimeOptions, at: Path): LoaderTimes {
  const ttlMs = nominalTtlMs(definition, at);
  const { notFoundTtl, ttl } = definition;
  const staleness = resolveStaleness(definition, at, ttlMs);
  const timeouts = resolveTimeouts(definition.loadTimeout, at);
  if (timeouts.softTimeoutMs !== null && staleness.keptStaleMs === 0) {
    const rule =
      'needs a stale value to answer with, and staleIfError and staleWhileRevalidate are 0';
    throw new InvalidOptionError(at('loadTimeout.soft'), timeouts.softTimeoutMs, rule);
  }
  return {
    ttlMs,
    ttlOf: typeof ttl === 'function' ? ttl : null,
    notFoundTtlMs:
      notFoundTtl === undefined
        ? null
        : requiredSpan(notFoundTtl, at('notFoundTtl'), { min: MIN_TTL_MS, max: LONGEST_LIFE_MS }),
    ...staleness,
    ...timeouts,
  };
}

/** The ttl of one value, by its key text, at least 100 ms. @throws InvalidOptionError when a loader's `ttl` function answers nonsense */
export function ttlOfValue(
  loader: Pick<LoaderTimes, 'ttlMs' | 'ttlOf'> & { readonly name: string },
  value: unknown,
  key: string,
): number {
  if (loader.ttlOf === null) return loader.ttlMs;
  const path = `loader "${loader.name}": ttl(value, params)`;
  const answer: unknown = loader.ttlOf(value as never, decodeKey(key) as never);
  // An async function's promise is no duration, and nobody else will look at it.
  if (answer instanceof Promise) answer.catch(() => undefined);
  const ttlMs = parseDuration(answer as Duration, path);
  return Math.min(Math.max(ttlMs, MIN_TTL_MS), LONGEST_LIFE_MS);
}

function nominalTtlMs({ ttl, nominalTtl }: TimeOptions, at: Path): number {
  const rule = { min: MIN_TTL_MS, max: LONGEST_LIFE_MS };
  if (typeof ttl !== 'function') {
    if (nominalTtl === undefined) return requiredSpan(ttl, at('ttl'), rule);
    throw new InvalidOptionError(at('nominalTtl'), nominalTtl, 'is for a `ttl` that is a function');
  }
  if (nominalTtl !== undefined) return requiredSpan(nominalTtl, at('nominalTtl'), rule);
  const why = 'is needed where `ttl` is a function: the usual ttl, by which heat is measured';
  throw new InvalidOptionError(at('nominalTtl'), nominalTtl, why);
}

function resolveStaleness(
  definition: TimeOptions,
  at: Path,
  ttlMs: number,
): Pick<LoaderTimes, 'staleWhileRevalidateMs' | 'staleIfErrorMs' | 'keptStaleMs'> {
  const mostMs = span(definition.maxStaleness, at('maxStaleness'), {
    or: LONGEST_LIFE_MS,
    ...ANY_LIFE,
  });
  const within = (field: 'staleWhileRevalidate' | 'staleIfError', or: number): number => {
    const ms = span(definition[field], at(field), { or: Math.min(or, mostMs), ...ANY_LIFE });
    if (ms <= mostMs) return ms;
    const rule = `must be at most maxStaleness (${mostMs} ms)`;
    throw new InvalidOptionError(at(field), definition[field], rule);
  };
  const staleWhileRevalidateMs = within('staleWhileRevalidate', DEFAULTS.staleWhileRevalidateMs);
  const staleIfErrorMs = within('staleIfError', ttlMs);
  const keptStaleMs = Math.max(staleWhileRevalidateMs, staleIfErrorMs);
  return { staleWhileRevalidateMs, staleIfErrorMs, keptStaleMs };
}

function resolveTimeouts(
  option: Duration | LoadTimeouts | undefined,
  at: Path,
): Pick<LoaderTimes, 'loadTimeoutMs' | 'softTimeoutMs'> {
  const isPair = typeof option === 'object' && option !== null;
  const { soft, hard } = isPair ? option : { soft: undefined, hard: option };
  const path = isPair ? 'loadTimeout.hard' : 'loadTimeout';
  const loadTimeoutMs = span(hard, at(path), { or: DEFAULTS.loadTimeoutMs, min: 1 });
  if (soft === undefined) return { loadTimeoutMs, softTimeoutMs: null };
  const softTimeoutMs = requiredSpan(soft, at('loadTimeout.soft'), { min: 0 });
  if (softTimeoutMs < loadTimeoutMs) return { loadTimeoutMs, softTimeoutMs };
  const rule = `must be less than the hard one (${loadTimeoutMs} ms)`;
  throw new InvalidOptionError(at('loadTimeout.soft'), soft, rule);
}
