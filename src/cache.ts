import type { EventName, Listener } from './core/events.ts';
import type { Invalidation } from './core/invalidation.ts';
import type {
  ConfirmOptions,
  InvalidateOptions,
  LoaderInvalidateOptions,
} from './invalidate/invalidate-options.ts';
import type { ParamsOf } from './loaders/arguments.ts';
import type { AnyLoader, Loader } from './loaders/define-loader.ts';
import type { Explanation } from './observe/explanation.ts';
import type { Meta } from './read/answer.ts';
import type { Write } from './read/write-through.ts';
import type { ReadyOptions, WarmReady } from './warm/warm-start.ts';
import type { WarmOptions, WarmResult } from './warm/warmer.ts';
import type { AnyFunction, WrapOptions, Wrapped } from './wrap-function.ts';

/** Params as an argument: may be left out where the loader takes none. */
export type ParamsArgument<P> = unknown extends P
  ? [params?: null]
  : undefined extends P
    ? [params?: P]
    : [params: P];

/** A value that can be set: not `undefined`, which would mean that there is none. */
export type Settable<R> = NonNullable<R> | null;

/** An application's view of the cache. Methods reject with CLOSED after `close()`. */
export interface Cache {
  /**
   * The value of a key: from this process's memory if the loader has a tier there, from Redis in one
   * round trip, or loaded, once in the fleet, and stored.
   *
   * @returns `undefined` where the loader found nothing
   * @throws LoaderError when the loader fails and no expired value may be served (staleIfError)
   */
  get<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<R>;
  /** As `get`, with where the value came from, whether and why it is stale, its age and remaining life. */
  getWithMeta<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<Meta<R>>;
  /**
   * Values in the order of `params`, in few round trips, misses by one `loadMany` where there is one.
   *
   * @throws LoaderError of the first key that failed, once all have settled
   */
  getMany<P, R>(loader: Loader<P, R>, params: readonly NoInfer<P>[]): Promise<R[]>;
  /**
   * Loads, in this process, those of the keys that are missing or past half of their lives, in hundreds:
   * by one `loadMany` each, if there is one. That a key cannot be loaded is counted, and an event:
   * `warm:failed`.
   *
   * @throws InvalidOptionError, InvalidKeyError (of an array before anything is loaded), or what the stream of params throws
   * @example
   * ```ts
   * const { done, skipped, failed } = await cache.warm(product, bestsellers);
   * ```
   */
  warm<P, R>(
    loader: Loader<P, R>,
    params: Iterable<NoInfer<P>> | AsyncIterable<NoInfer<P>>,
    options?: WarmOptions,
  ): Promise<WarmResult>;
  /**
   * Stores a value for a whole ttl; a load under way will not overwrite it.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE when it is not known to be stored: its entry is then invalidated
   */
  set<P, R>(loader: Loader<P, R>, params: NoInfer<P>, value: Settable<NoInfer<R>>): Promise<void>;
  /**
   * Stores many values, each as `set` does.
   *
   * @throws EverwarmError before anything is stored, where a value cannot be; else of the first that failed,
   * once all have settled
   */
  setMany<P, R>(
    loader: Loader<P, R>,
    entries: readonly (readonly [params: NoInfer<P>, value: Settable<NoInfer<R>>])[],
  ): Promise<void>;
  /**
   * Runs a write to the origin, then stores what it answers, or invalidates the entry if that is `undefined`.
   * When the write fails its outcome is unknown: the entry is invalidated, and the write's error thrown; so it is
   * when its value cannot be stored.
   *
   * @returns what `write` answered
   * @throws EverwarmError REDIS_UNAVAILABLE when the write has happened, but Redis did not confirm what follows;
   * AggregateError of both when the write failed too
   * @example
   * ```ts
   * const user = await cache.writeThrough(users, id, () => db.updateUser(id, changes));
   * ```
   */
  writeThrough<P, R, W extends Settable<NoInfer<R>> | undefined>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    write: Write<W>,
  ): Promise<W>;
  writeThrough<P, R>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    write: () => void | Promise<void>,
  ): Promise<void>;
  /**
   * Removes an entry, of every version; a load under way will not store what it read before.
   *
   * @returns whether there was an entry
   * @throws EverwarmError REDIS_UNAVAILABLE when Redis did not confirm it within 5 s
   */
  invalidate<P, R>(
    loader: Loader<P, R>,
    ...params: [...params: ParamsArgument<NoInfer<P>>, options?: InvalidateOptions]
  ): Promise<boolean>;
  /** As `invalidate` for many keys; answers how many entries there were, of all versions. */
  invalidateMany<P, R>(
    loader: Loader<P, R>,
    params: readonly NoInfer<P>[],
    options?: InvalidateOptions,
  ): Promise<number>;
  /** Invalidates every key with one of these tags, of any loader; answers how many entries there were. */
  invalidateTags(tags: string | readonly string[], options?: InvalidateOptions): Promise<number>;
  /**
   * Invalidates the keys whose text matches a glob with Redis' rules (`*`, `?`, `[a-z]`, `\\`), of every
   * version; answers how many entries there were. Looks at all keys of the server: 1 million take seconds.
   *
   * @throws InvalidOptionError for a glob that matches every key, without `{ confirm: true }`
   */
  invalidatePattern<P, R>(
    loader: Loader<P, R>,
    glob: string,
    options?: ConfirmOptions,
  ): Promise<number>;
  /** Invalidates every key of a loader, of all versions or of one; as slow as a pattern. */
  invalidateLoader<P, R>(loader: Loader<P, R>, options?: LoaderInvalidateOptions): Promise<number>;
  /** Invalidates every key of every loader, also of those this process does not know. */
  invalidateNamespace(options: ConfirmOptions & { readonly confirm: true }): Promise<number>;
  /**
   * Carries out what `onInvalidate` was called with in another region; answers how many entries there were.
   *
   * @throws InvalidOptionError for anything else
   */
  applyInvalidation(invalidation: Invalidation): Promise<number>;
  /**
   * Why a key is refreshed ahead or not, and by what that is decided: its heat, its entry, load times, what
   * is planned, what failed. Sends the reads counted so far, and counts as none itself.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE when a server does not answer; never for a key without an entry
   */
  explain<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<Explanation>;
  /**
   * Stops schedulers and workers from refreshing a loader's keys, in the whole fleet, until
   * `resumeRefresh`; readers go on loading what they miss. Answers whether it was not paused before.
   */
  pauseRefresh<P, R>(loader: Loader<P, R>): Promise<boolean>;
  /** Lets a loader's keys be refreshed again, the hottest first; answers whether it was paused. */
  resumeRefresh<P, R>(loader: Loader<P, R>): Promise<boolean>;
  /**
   * The same function, but its calls read through this cache; its loader is registered here and on
   * `.loader`. An asynchronous function keeps its type. `this` is not passed on.
   *
   * @throws InvalidOptionError naming the option, its value and the rule
   */
  wrap<F extends AnyFunction, P = ParamsOf<Parameters<F>>>(
    fn: F,
    options: WrapOptions<Parameters<F>, P, Awaited<ReturnType<F>>>,
  ): Wrapped<F, P>;
  /**
   * Registers one more loader; the same one again changes nothing.
   *
   * @throws InvalidOptionError when its name is another one's
   */
  addLoader(loader: AnyLoader): void;
  /** Subscribes to an event; the answer unsubscribes. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /**
   * Resolves once Redis has answered, or after 5 s without it: reads work either way.
   *
   * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable
   */
  ready(): Promise<void>;
  /**
   * Resolves once `warmOnStart` has gone through its keys too, or its time is up, and says which: `'warm'`,
   * `'timeout'`, or `'failed'` where a loader's hottest keys could not be had, or none of them loaded.
   *
   * @throws InvalidOptionError naming the option, its value and the rule; as `ready()` when `strict`
   * @example
   * ```ts
   * await cache.ready({ warm: true, timeout: '10s' });
   * server.listen(3000);
   * ```
   */
  ready(options: ReadyOptions): Promise<WarmReady>;
  /**
   * Sends the reads counted so far, lets what is under way finish for 2 s, aborts the loads that are left,
   * and closes the connections.
   */
  close(): Promise<void>;
}
