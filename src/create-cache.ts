// biome-ignore-all lint/style/noExcessiveLinesPerFile: being divided.
import { setTimeout as delay } from 'node:timers/promises';
import { type CacheOptions, resolveCache } from './config/options.ts';
import { EverwarmError } from './core/errors.ts';
import { type EventName, Events, type Listener } from './core/events.ts';
import type { Invalidation } from './core/invalidation.ts';
import { settlesWithin } from './core/lifecycle.ts';
import { EntryTags } from './load/entry-tags.ts';
import { FencedLoad } from './load/fenced-load.ts';
import type { AnyLoader, Loader } from './loaders/define-loader.ts';
import { encodeKey } from './loaders/key-codec.ts';
import { LoaderRegistry, type WithLoaders } from './loaders/registry.ts';
import { lifeMs } from './policy/freshness.ts';
import { AccessRecorder } from './read/access-recorder.ts';
import { type Answer, type Meta, toMeta } from './read/answer.ts';
import { FlightDrop } from './read/flight-drop.ts';
import type {
  ConfirmOptions,
  InvalidateOptions,
  LoaderInvalidateOptions,
} from './read/invalidate-options.ts';
import { Invalidator } from './read/invalidator.ts';
import { MissLoader } from './read/miss-loader.ts';
import { PlaceInvalidator } from './read/place-invalidator.ts';
import { Reader, type ReadRef } from './read/reader.ts';
import { SingleFlight } from './read/single-flight.ts';
import { Writer } from './read/writer.ts';
import { EntryReads } from './redis/entry-reads.ts';
import { EntryStore } from './redis/entry-store.ts';
import { Keys } from './redis/keys.ts';
import { LiveVersions } from './redis/live-versions.ts';
import { RoleServers } from './redis/role-servers.ts';
import { TagIndex } from './redis/tag-index.ts';
import { Tracker } from './redis/tracker.ts';

/** Params as an argument: may be left out where the loader takes none. */
export type ParamsArgument<P> = unknown extends P
  ? [params?: null]
  : undefined extends P
    ? [params?: P]
    : [params: P];

/** An application's view of the cache. Methods reject with CLOSED after `close()`. */
export interface Cache {
  /**
   * The value of a key: from Redis in one round trip, or loaded, once in the fleet, and stored.
   *
   * @returns `undefined` where the loader found nothing
   * @throws LoaderError when the loader fails and no expired value may be served (staleIfError)
   */
  get<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<R>;
  /** As `get`, with where the value came from, its age and remaining life. */
  getWithMeta<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<Meta<R>>;
  /**
   * Values in the order of `params`, in few round trips, misses by one `loadMany` where there is one.
   *
   * @throws LoaderError of the first key that failed, once all have settled
   */
  getMany<P, R>(loader: Loader<P, R>, params: readonly NoInfer<P>[]): Promise<R[]>;
  /** Stores a value for a whole ttl; a load under way will not overwrite it. */
  set<P, R>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    value: NonNullable<NoInfer<R>> | null,
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
  /** Subscribes to an event; the answer unsubscribes. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /**
   * Resolves once Redis has answered, or after 5 s without it: reads work either way.
   *
   * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable
   */
  ready(): Promise<void>;
  /** Sends the reads counted so far, lets running loads finish for 2 s, and closes the connections. */
  close(): Promise<void>;
}

/**
 * Opens a cache that reads through its loaders and keeps count of what is hot. Connects at once, in the
 * background; does not keep waiting readers when Redis is away.
 *
 * @example
 * ```ts
 * const cache = createCache({ redis: 'redis://localhost:6379', loaders: [product] });
 * const value = await cache.get(product, 'sku-42');
 * ```
 * @throws InvalidOptionError naming the option, its value and the rule
 */
export function createCache(options: CacheOptions & WithLoaders): Cache {
  return new ReadThroughCache(options);
}

interface LoaderParts {
  readonly loader: AnyLoader;
  readonly recorder: AccessRecorder | null;
}

/** How long `close()` lets running loads finish, and aborted ones give their locks back. */
const CLOSE_GRACE_MS = 2_000;
const ABORT_GRACE_MS = 500;

/** Longest wait of a process's first reads for their connection, which takes longer than a read. */
const FIRST_READ_WAIT_MS = 1_000;

/** Settles when reads need not wait any longer: both servers have answered, or one has failed or is slow. */
function untilReadable(servers: RoleServers): Promise<unknown> {
  const { cache, queue } = servers;
  const failed = [cache, queue].map((redis) => new Promise((fail) => redis.once('error', fail)));
  const late = delay(FIRST_READ_WAIT_MS, undefined, { ref: false });
  return Promise.race([servers.ready(), late, ...failed]);
}

class ReadThroughCache implements Cache {
  readonly #registry: LoaderRegistry;
  readonly #events = new Events();
  readonly #servers: RoleServers;
  readonly #keys: Keys;
  readonly #fenced: FencedLoad;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #invalidator: Invalidator;
  readonly #versions: LiveVersions;
  readonly #parts: ReadonlyMap<object, LoaderParts>;
  readonly #readable: Promise<unknown>;
  #closing: Promise<void> | null = null;

  constructor(options: CacheOptions & WithLoaders) {
    const settings = resolveCache(options);
    this.#registry = new LoaderRegistry(options.loaders);
    const events = this.#events;
    this.#servers = new RoleServers({ ...settings, name: 'cache', events });
    this.#readable = settings.strict ? this.#servers.ready() : untilReadable(this.#servers);
    this.#keys = new Keys(settings.namespace);
    const { cache, queue, clock } = this.#servers;

    const store = new EntryStore(cache);
    const flights = new SingleFlight<Answer>();
    const loaders = new Map([...this.#registry].map((loader) => [loader.name, loader]));
    const index = new TagIndex(queue, this.#keys, clock);
    const tags = new EntryTags(index, clock);
    const fenced = new FencedLoad({ store, clock, events, tags, lockTtlMs: settings.lockTtlMs });
    const misses = new MissLoader({ fenced, clock, random: Math.random });
    const reads = new EntryReads(cache, settings.readTimeoutMs);
    this.#fenced = fenced;
    this.#reader = new Reader({ reads, flights, misses, fenced, clock, events });
    const trackers = new Map(
      [...this.#registry].map((loader) => [loader.name, new Tracker(queue, this.#keys, loader)]),
    );
    const local = new FlightDrop(flights, this.#keys, this.#registry);
    const announcer = { announce: () => Promise.resolve() };
    const places = new PlaceInvalidator(store, clock);
    this.#versions = new LiveVersions({
      redis: queue,
      keys: this.#keys,
      clock,
      loaders: [...this.#registry].map((loader) => ({ ...loader, lifeMs: lifeMs(loader) })),
    });
    this.#writer = new Writer({ store, places, tags, local, announcer, clock });
    this.#invalidator = new Invalidator({
      cache,
      keys: this.#keys,
      clock,
      events,
      loaders,
      places,
      tags: index,
      versions: this.#versions,
      trackers,
      local,
      announcer,
      onInvalidate: settings.onInvalidate,
    });
    cache.on('ready', () => void this.#invalidator.repeatRecent());

    this.#parts = new Map(
      [...this.#registry].map((loader) => {
        const tracker = trackers.get(loader.name) as Tracker;
        const parts = { ...settings, tracker, clock, events, loader, random: Math.random };
        return [
          loader,
          { loader, recorder: settings.recording ? new AccessRecorder(parts) : null },
        ];
      }),
    );
  }

  async get<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<R> {
    return (await this.#read(loader, params[0])).value as R;
  }

  async getWithMeta<P, R>(
    loader: Loader<P, R>,
    ...params: ParamsArgument<NoInfer<P>>
  ): Promise<Meta<R>> {
    return toMeta<R>(await this.#read(loader, params[0]), this.#servers.clock.now());
  }

  async getMany<P, R>(loader: Loader<P, R>, params: readonly NoInfer<P>[]): Promise<R[]> {
    if (!this.#servers.isReady) await this.#readable;
    // The same key twice is one read with two answers.
    const refs = new Map<string, ReadRef>();
    const keys = params.map((one) => {
      const ref = this.#ref(loader, one);
      if (!refs.has(ref.key)) refs.set(ref.key, ref);
      return ref.key;
    });
    const unique = [...refs.keys()];
    const settled = await this.#reader.readMany([...refs.values()]);
    const answers = new Map(unique.map((key, at) => [key, settled[at]]));
    return keys.map((key) => {
      const answer = answers.get(key);
      if (answer?.status === 'fulfilled') return answer.value.value as R;
      throw answer?.reason;
    });
  }

  async set<P, R>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    value: NonNullable<NoInfer<R>> | null,
  ): Promise<void> {
    if (value === undefined) {
      throw new EverwarmError('INVALID_OPTION', 'set() cannot store undefined: use invalidate()');
    }
    const ref = this.#ref(loader, params);
    if (!this.#servers.isReady) await this.#servers.ready();
    await this.#writer.set(ref, value);
  }

  async invalidate<P, R>(
    loader: Loader<P, R>,
    ...params: [...params: ParamsArgument<NoInfer<P>>, options?: InvalidateOptions]
  ): Promise<boolean> {
    const { key } = this.#ref(loader, params[0]);
    const options = params[1] as InvalidateOptions | undefined;
    return (await (await this.#invalidations()).keys(loader.name, [key], options)) > 0;
  }

  async invalidateMany<P, R>(
    loader: Loader<P, R>,
    params: readonly NoInfer<P>[],
    options?: InvalidateOptions,
  ): Promise<number> {
    const keys = params.map((one) => this.#ref(loader, one).key);
    return (await this.#invalidations()).keys(loader.name, keys, options);
  }

  async invalidateTags(
    tags: string | readonly string[],
    options?: InvalidateOptions,
  ): Promise<number> {
    return (await this.#invalidations()).tags(tags, options);
  }

  async invalidatePattern<P, R>(
    loader: Loader<P, R>,
    glob: string,
    options?: ConfirmOptions,
  ): Promise<number> {
    this.#known(loader);
    return (await this.#invalidations()).pattern(loader.name, glob, options);
  }

  async invalidateLoader<P, R>(
    loader: Loader<P, R>,
    options?: LoaderInvalidateOptions,
  ): Promise<number> {
    this.#known(loader);
    return (await this.#invalidations()).loader(loader.name, options);
  }

  async invalidateNamespace(options: ConfirmOptions): Promise<number> {
    return (await this.#invalidations()).namespace(options);
  }

  async applyInvalidation(invalidation: Invalidation): Promise<number> {
    return (await this.#invalidations()).apply(invalidation);
  }

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    return this.#events.on(name, listener);
  }

  ready(): Promise<void> {
    return this.#servers.ready();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#versions.close();
    const recorders = [...this.#parts.values()].map(({ recorder }) => recorder?.close());
    await Promise.all([...recorders, settlesWithin(this.#invalidator.close(), CLOSE_GRACE_MS)]);
    if (!(await settlesWithin(this.#fenced.idle(), CLOSE_GRACE_MS))) {
      this.#fenced.abortAll(new EverwarmError('CLOSED', 'the cache was closed'));
      await settlesWithin(this.#fenced.idle(), ABORT_GRACE_MS);
    }
    this.#servers.close();
  }

  async #read(loader: { readonly name: string }, params: unknown): Promise<Answer> {
    const ref = this.#ref(loader, params);
    if (!this.#servers.isReady) await this.#readable;
    return this.#reader.read(ref);
  }

  async #invalidations(): Promise<Invalidator> {
    if (this.#closing !== null) throw new EverwarmError('CLOSED', 'the cache is closed');
    if (!this.#servers.isReady) await this.#servers.ready();
    return this.#invalidator;
  }

  #known(loader: { readonly name: string }): LoaderParts {
    if (this.#closing !== null)
      throw new EverwarmError('CLOSED', `loader "${loader?.name}": the cache is closed`);
    const parts = this.#parts.get(loader);
    if (!parts) throw this.#registry.unknown(loader);
    return parts;
  }

  #ref(loader: { readonly name: string }, params: unknown): ReadRef {
    const parts = this.#known(loader);
    const key = encodeKey(params);
    const entryKey = this.#keys.entry(parts.loader, key);
    const lockKey = this.#keys.lock(entryKey);
    // The spread comes last: V8 takes 4 µs, an eighth of a whole read, to add fields after one.
    return { key, entryKey, lockKey, ...parts };
  }
}
