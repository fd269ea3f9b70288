import { setTimeout as delay } from 'node:timers/promises';
import type { Cache, ParamsArgument, Settable } from './cache.ts';
import { type CacheOptions, type CacheSettings, resolveCache } from './config/options.ts';
import { EverwarmError } from './core/errors.ts';
import { type EventName, Events, type Listener } from './core/events.ts';
import { settlesWithin } from './core/lifecycle.ts';
import { FencedLoad } from './load/fenced-load.ts';
import { Permits } from './load/permits.ts';
import type { ParamsOf } from './loaders/arguments.ts';
import type { AnyLoader, Loader } from './loaders/define-loader.ts';
import { encodeKey } from './loaders/key-codec.ts';
import { LoaderRegistry, type WithLoaders } from './loaders/registry.ts';
import { AccessRecorder } from './read/access-recorder.ts';
import { type Answer, fresh, type Meta, toMeta } from './read/answer.ts';
import { InvalidationBus } from './read/invalidation-bus.ts';
import { LocalDrops, type LocalLoader } from './read/local-drops.ts';
import { type Held, MemoryTier } from './read/memory-tier.ts';
import { MissLoader } from './read/miss-loader.ts';
import { Reader, type ReadRef } from './read/reader.ts';
import { SingleFlight } from './read/single-flight.ts';
import { Wakes } from './read/wakes.ts';
import { type Write, writeThrough } from './read/write-through.ts';
import { Writer } from './read/writer.ts';
import { Breakers } from './redis/breakers.ts';
import { onServerChange } from './redis/cluster-connection.ts';
import type { RedisRole } from './redis/connection.ts';
import { EntryReads } from './redis/entry-reads.ts';
import { EntryStore } from './redis/entry-store.ts';
import { Keys } from './redis/keys.ts';
import { nodeOf } from './redis/redis-client.ts';
import { RoleServers } from './redis/role-servers.ts';
import { scriptClient } from './redis/scripts.ts';
import { Tracker } from './redis/tracker.ts';
import { type AnyFunction, type WrapOptions, type Wrapped, wrapFunction } from './wrap-function.ts';

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
export function createCache(options: CacheOptions & Partial<WithLoaders>): Cache {
  return new ReadThroughCache(options);
}

/** What this process has of a loader. */
interface LoaderParts extends LocalLoader {
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
  readonly #settings: CacheSettings;
  readonly #registry: LoaderRegistry;
  readonly #events = new Events();
  readonly #servers: RoleServers;
  readonly #keys: Keys;
  readonly #fenced: FencedLoad;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #bus: InvalidationBus;
  readonly #parts = new Map<object, LoaderParts>();
  readonly #byName = new Map<string, LoaderParts>();
  readonly #readable: Promise<unknown>;
  readonly #queueBreakers: Breakers;
  #closing: Promise<void> | null = null;

  constructor(options: CacheOptions & Partial<WithLoaders>) {
    const settings = resolveCache(options);
    this.#settings = settings;
    this.#registry = new LoaderRegistry(options.loaders ?? [], { least: 0 });
    const events = this.#events;
    this.#servers = new RoleServers({ ...settings, name: 'cache', events });
    this.#readable = settings.strict ? this.#servers.ready() : untilReadable(this.#servers);
    const keys = new Keys(settings.namespace);
    this.#keys = keys;
    const { cache, queue, clock } = this.#servers;

    this.#queueBreakers = this.#breakersOf('queue');
    for (const loader of this.#registry) this.#addParts(loader);
    const breakers = this.#breakersOf('cache');
    const { lockTtlMs, readTimeoutMs } = settings;
    const store = new EntryStore(cache, { acquireTimeoutMs: readTimeoutMs, breakers });
    const flights = new SingleFlight<Answer>();
    const wakes = new Wakes();
    const drops = new LocalDrops({ keys, flights, wakes, loaders: this.#byName });
    this.#bus = new InvalidationBus({
      publisher: cache,
      listen: (to) => this.#servers.listen(to),
      channel: keys.bus(),
      onDrop: (what) => drops.drop(what),
      onWake: (entryKey) => wakes.wake(entryKey),
      onGap: () => drops.dropAll(),
    });
    const permits = new Permits({ scripts: scriptClient(queue), keys, events });
    const storing = { store, clock, events, lockTtlMs, commitWaitMs: readTimeoutMs };
    const fenced = new FencedLoad({ permits, ...storing });
    const misses = new MissLoader({ fenced, clock, events, wakes, random: Math.random });
    const reads = new EntryReads(cache, { timeoutMs: readTimeoutMs, breakers });
    this.#fenced = fenced;
    this.#reader = new Reader({ reads, flights, misses, fenced, clock, events });
    this.#writer = new Writer({ store, drops, bus: this.#bus, clock });
    onServerChange(cache, () => void this.#writer.repeatRecent());
  }

  async get<P, R>(loader: Loader<P, R>, ...params: ParamsArgument<NoInfer<P>>): Promise<R> {
    const parts = this.#known(loader);
    const key = encodeKey(params[0]);
    const held = this.#recall(parts, key);
    if (held !== null) return parts.tier?.valueOf(held) as R;
    return (await this.#read(parts, key)).value as R;
  }

  async getWithMeta<P, R>(
    loader: Loader<P, R>,
    ...params: ParamsArgument<NoInfer<P>>
  ): Promise<Meta<R>> {
    const parts = this.#known(loader);
    const key = encodeKey(params[0]);
    const held = this.#recall(parts, key);
    const answer = held
      ? fresh(parts.tier?.valueOf(held), 'memory', held)
      : await this.#read(parts, key);
    return toMeta<R>(answer, this.#servers.clock.now());
  }

  async getMany<P, R>(loader: Loader<P, R>, params: readonly NoInfer<P>[]): Promise<R[]> {
    const parts = this.#known(loader);
    const keys = params.map(encodeKey);
    const values = new Map<string, R>();
    // The same key twice is one read with two answers.
    const refs = new Map<string, ReadRef>();
    for (const key of keys) {
      const held = this.#recall(parts, key);
      if (held !== null) values.set(key, parts.tier?.valueOf(held) as R);
      else if (!refs.has(key)) refs.set(key, this.#ref(parts, key));
    }
    if (refs.size > 0) await this.#readMany(refs, values);
    return keys.map((key) => values.get(key) as R);
  }

  async set<P, R>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    value: Settable<NoInfer<R>>,
  ): Promise<void> {
    if (value === undefined) {
      throw new EverwarmError('INVALID_OPTION', 'set() cannot store undefined: use invalidate()');
    }
    const ref = this.#ref(this.#known(loader), encodeKey(params));
    if (!this.#servers.isReady) await this.#servers.ready();
    await this.#writer.set(ref, value);
  }

  async setMany<P, R>(
    loader: Loader<P, R>,
    entries: readonly (readonly [params: NoInfer<P>, value: Settable<NoInfer<R>>])[],
  ): Promise<void> {
    const settled = await Promise.allSettled(
      entries.map(([params, value]) => this.set(loader, params, value)),
    );
    for (const result of settled) if (result.status === 'rejected') throw result.reason;
  }

  async writeThrough<P, R, W>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    write: Write<W>,
  ): Promise<W> {
    const ref = this.#ref(this.#known(loader), encodeKey(params));
    return writeThrough(write, {
      set: (value) => this.#writer.set(ref, value),
      invalidate: () => this.#writer.invalidate(ref),
    });
  }

  async invalidate<P, R>(
    loader: Loader<P, R>,
    ...params: ParamsArgument<NoInfer<P>>
  ): Promise<boolean> {
    const ref = this.#ref(this.#known(loader), encodeKey(params[0]));
    if (!this.#servers.isReady) await this.#servers.ready();
    return this.#writer.invalidate(ref);
  }

  wrap<F extends AnyFunction, P = ParamsOf<Parameters<F>>>(
    fn: F,
    options: WrapOptions<Parameters<F>, P, Awaited<ReturnType<F>>>,
  ): Wrapped<F, P> {
    return wrapFunction(fn, options, this);
  }

  addLoader(loader: AnyLoader): void {
    this.#requireOpen(loader);
    if (this.#registry.add(loader)) this.#addParts(loader);
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
    await Promise.all([...this.#parts.values()].map(({ recorder }) => recorder?.close()));
    if (!(await settlesWithin(this.#fenced.idle(), CLOSE_GRACE_MS))) {
      this.#fenced.abortAll(new EverwarmError('CLOSED', 'the cache was closed'));
      await settlesWithin(this.#fenced.idle(), ABORT_GRACE_MS);
    }
    this.#bus.close();
    this.#servers.close();
  }

  #breakersOf(role: RedisRole): Breakers {
    const client = this.#servers[role];
    const nodeOfKey = (key: string): string => nodeOf(client, key);
    const breakers = new Breakers({ role, events: this.#events, nodeOf: nodeOfKey });
    onServerChange(client, () => breakers.probeSoon());
    return breakers;
  }

  #addParts(loader: AnyLoader): void {
    const { recording, memory } = this.#settings;
    const { queue, clock } = this.#servers;
    const memorySettings = loader.memory === undefined ? memory : loader.memory;
    const tracker = new Tracker(queue, this.#keys, loader);
    const breakers = this.#queueBreakers;
    const shared = { breakers, clock, events: this.#events, random: Math.random };
    const isCounted = recording && !loader.refresh.isOff;
    const parts = {
      loader,
      tier: memorySettings && new MemoryTier(memorySettings),
      recorder: isCounted
        ? new AccessRecorder({ ...this.#settings, ...shared, tracker, loader })
        : null,
    };
    this.#parts.set(loader, parts);
    this.#byName.set(loader.name, parts);
  }

  /** The value this process holds, counted as a read; null: ask Redis. */
  #recall({ loader, tier, recorder }: LoaderParts, key: string): Held | null {
    if (tier === null) return null;
    const held = tier.get(key, this.#servers.clock.now());
    if (held === null) return null;
    recorder?.count(key, held.expiresAtMs);
    if (this.#events.has('entry:hit')) {
      this.#events.emit('entry:hit', { loader: loader.name, key, source: 'memory' });
    }
    return held;
  }

  async #read(parts: LoaderParts, key: string): Promise<Answer> {
    if (!this.#servers.isReady) await this.#readable;
    return this.#reader.read(this.#ref(parts, key));
  }

  async #readMany(refs: ReadonlyMap<string, ReadRef>, values: Map<string, unknown>): Promise<void> {
    if (!this.#servers.isReady) await this.#readable;
    const answers = await this.#reader.readMany([...refs.values()]);
    for (const [at, key] of [...refs.keys()].entries()) {
      const answer = answers[at];
      if (answer?.status !== 'fulfilled') throw answer?.reason;
      values.set(key, answer.value.value);
    }
  }

  #requireOpen(loader: { readonly name: string }): void {
    if (this.#closing === null) return;
    throw new EverwarmError('CLOSED', `loader "${loader?.name}": the cache is closed`);
  }

  #known(loader: { readonly name: string }): LoaderParts {
    this.#requireOpen(loader);
    const parts = this.#parts.get(loader);
    if (!parts) throw this.#registry.unknown(loader);
    return parts;
  }

  #ref({ loader, tier, recorder }: LoaderParts, key: string): ReadRef {
    const entryKey = this.#keys.entry(loader, key);
    return { loader, key, entryKey, lockKey: this.#keys.lock(entryKey), tier, recorder };
  }
}
