import { type EmptyGuardOptions, resolveEmptyGuard } from '../config/empty-guard-option.ts';
import { type MemoryOptions, type MemorySettings, resolveMemory } from '../config/memory-option.ts';
import { type OriginOptions, resolveOrigin } from '../config/origin-option.ts';
import type { LimitOptions } from '../config/rate-limit.ts';
import {
  type RefreshOptions,
  type RefreshSettings,
  resolveRefresh,
} from '../config/refresh-option.ts';
import { checkName, checkObject, count } from '../config/rules.ts';
import { resolveValueFormat, type ValueFormat, type ValueOptions } from '../config/value-format.ts';
import type { Duration } from '../core/duration.ts';
import type { EmptyGuardSettings } from '../core/empty-guard-settings.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { LoadReason } from '../core/events.ts';
import type { OriginBudget } from '../core/origin.ts';
import type { NotModified, WithEtag } from './answers.ts';
import { resolveSchema, type SchemaSettings, type StandardSchemaV1 } from './schema.ts';
import { type LoaderTimes, type LoadTimeouts, resolveTimes } from './times.ts';

export interface LoadContext {
  /** Aborts on timeout, lost lock and shutdown; never because one reader gave up. */
  readonly signal: AbortSignal;
  /** Who asked: a reader that waits, the scheduler, or a warm-up. */
  readonly reason: LoadReason;
  /** The key text of the params. */
  readonly key: string;
  /** 1, and one more for each failed refresh of this key in a row. */
  readonly attempt: number;
  /** Of the stored value, if it was answered `withEtag`: `notModified()` keeps that value. */
  readonly etag: string | undefined;
}

export type LoadManyContext = Omit<LoadContext, 'key' | 'etag'> & {
  readonly keys: readonly string[];
  readonly etags: readonly (string | undefined)[];
};

/** What a loader may answer for one key. */
export type LoaderAnswer<R> = R | NotModified | WithEtag<R>;

export interface LoaderDefinition<P, R, O = R> {
  /** `[A-Za-z0-9_.-]{1,64}`: part of key names, queue names and metrics. */
  readonly name: string;
  /** How long a value stays fresh, counted from the end of its load, at least 100 ms; or a function of the value. */
  readonly ttl:
    | Duration
    | ((value: NonNullable<NoInfer<Awaited<O>>> | null, params: P) => Duration);
  /** The usual ttl, where `ttl` is a function: what heat and planning reckon with. */
  readonly nominalTtl?: Duration;
  /** Raise it when the value's shape changes: a new shape never meets old entries. @defaultValue `1` */
  readonly version?: number;
  /** Computes one value; `undefined` means that there is none. */
  readonly load: (params: P, context: LoadContext) => LoaderAnswer<R> | Promise<LoaderAnswer<R>>;
  /** Computes many in one call: an answer per params, in their order; an Error fails its key alone. */
  readonly loadMany?: (
    params: readonly P[],
    context: LoadManyContext,
  ) => Promise<readonly (LoaderAnswer<R> | Error | undefined)[]>;
  /** A load that has not settled by then is aborted and counts as failed; or `{ soft, hard }`. @defaultValue `'30s'` */
  readonly loadTimeout?: Duration | LoadTimeouts;
  /** An expired value is served for so long after expiry while it is loaded anew. @defaultValue `0` */
  readonly staleWhileRevalidate?: Duration;
  /** A failed load is answered with the expired value for so long after expiry. @defaultValue the ttl */
  readonly staleIfError?: Duration;
  /** Hard bound of both: no value is served for longer after its expiry. */
  readonly maxStaleness?: Duration;
  /** That there is no value is stored for so long; without it, it is not stored. */
  readonly notFoundTtl?: Duration;
  /** Do not believe a loader that suddenly finds nothing for most keys that had a value. @defaultValue `false` */
  readonly emptyGuard?: boolean | EmptyGuardOptions;
  /** Names under which the key can be invalidated with others: at most 32, each at most 256 bytes. */
  readonly tags?: (params: P) => readonly string[];
  /** An in-process tier for this loader; `false`: none, whatever the cache's `memory` says. @defaultValue the cache's `memory` */
  readonly memory?: MemoryOptions | false;
  /** How values become bytes: `'msgpack'`, `'json'`, or your own. @defaultValue `'msgpack'` */
  readonly codec?: ValueOptions['codec'];
  /** Compress long values: `'gzip'`, `'brotli'`, or with the size from which on. */
  readonly compress?: ValueOptions['compress'];
  /** So many calls of `load` or `loadMany` in the whole fleet, by readers and workers: short for `origin.rate`. */
  readonly limit?: LimitOptions;
  /** What the fleet's calls together may ask of the origin, and when to leave it alone. */
  readonly origin?: OriginOptions;
  /** When this loader's keys are refreshed; `false`: nothing loads in the background, a reader waits at each expiry. */
  readonly refresh?: RefreshOptions | false;
  /** What the loader answers must match: its output is what is stored and read. A mismatch fails the load. */
  readonly schema?: StandardSchemaV1<unknown, O>;
  /** Also what is read must match, by the schema that made it: a mismatch is loaded anew. @defaultValue `false` */
  readonly validateOnRead?: boolean;
}

/** What a loader's reads come to: what its schema makes of an answer; `undefined` needs no schema. */
export type Result<R, O> =
  | Awaited<O>
  | (undefined extends Awaited<R> ? (unknown extends R ? never : undefined) : never);

/** A validated definition: what `get` takes and what workers run. */
export interface Loader<P, R> extends LoaderTimes, SchemaSettings {
  readonly name: string;
  readonly version: number;
  readonly emptyGuard: EmptyGuardSettings | null;
  /** Undefined: as the cache has it. */
  readonly memory: MemorySettings | null | undefined;
  readonly format: ValueFormat;
  /** Null: its calls ask nobody. */
  readonly origin: OriginBudget | null;
  readonly refresh: RefreshSettings;
  load(params: P, context: LoadContext): LoaderAnswer<R> | Promise<LoaderAnswer<R>>;
  readonly loadMany: LoaderDefinition<P, R>['loadMany'];
  tags(params: P): readonly string[];
  /** Whether `tags` was given. */
  readonly isTagged: boolean;
}

/** Any loader, whatever its params and result. */
export type AnyLoader = Loader<never, unknown>;

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
export function defineLoader<P, R, O = R>(
  definition: LoaderDefinition<P, R, O>,
): Loader<P, Exclude<Result<R, O>, NotModified>> {
  checkObject(definition, 'definition');
  const name = checkName(definition.name, 'name');
  const at = (field: string): string => `loader "${name}": ${field}`;
  const times = resolveTimes(definition, at);
  const { load, loadMany, tags, memory } = definition;
  checkFunctions(definition, at);
  if (definition.refresh === false && times.staleWhileRevalidateMs > 0) {
    const rule = 'needs background loads, and `refresh` is false';
    throw new InvalidOptionError(at('staleWhileRevalidate'), definition.staleWhileRevalidate, rule);
  }
  return Object.freeze({
    name,
    version: count(definition.version, at('version'), 1),
    emptyGuard: resolveEmptyGuard(definition.emptyGuard, at),
    memory: memory === undefined ? undefined : resolveMemory(memory, at('memory')),
    format: resolveValueFormat(definition, at),
    origin: resolveOrigin(definition, at),
    refresh: resolveRefresh(definition.refresh, at, times.ttlMs),
    load,
    loadMany,
    tags: tags ?? noTags,
    isTagged: tags !== undefined,
    ...times,
    ...resolveSchema(definition, at),
  }) as unknown as Loader<P, Exclude<Result<R, O>, NotModified>>;
}

function noTags(): readonly string[] {
  return [];
}

type Path = (field: string) => string;

type Functions = 'load' | 'loadMany' | 'tags';

function checkFunctions(definition: Readonly<Partial<Record<Functions, unknown>>>, at: Path): void {
  for (const field of ['load', 'loadMany', 'tags'] as const) {
    const value = definition[field];
    if (typeof value === 'function' || (field !== 'load' && value === undefined)) continue;
    throw new InvalidOptionError(at(field), value, 'must be a function');
  }
}
