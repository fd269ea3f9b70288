import type { Cache, ParamsArgument, Settable } from './cache.ts';
import type { CacheParts } from './cache-parts.ts';
import { closeCache } from './close-cache.ts';
import { checkObject, checkSettable } from './config/rules.ts';
import { EverwarmError } from './core/errors.ts';
import type { EventName, Listener } from './core/events.ts';
import type { Invalidation } from './core/invalidation.ts';
import { UnderWay } from './core/under-way.ts';
import type {
  ConfirmOptions,
  InvalidateOptions,
  LoaderInvalidateOptions,
} from './invalidate/invalidate-options.ts';
import type { Invalidator } from './invalidate/invalidator.ts';
import type { ParamsOf } from './loaders/arguments.ts';
import type { AnyLoader, Loader } from './loaders/define-loader.ts';
import { encodeKey, encodeKeys } from './loaders/key-codec.ts';
import type { Explanation } from './observe/explanation.ts';
import { type Meta, toMeta } from './read/answer.ts';
import type { LocalLoader, LocalLoaders } from './read/local-loaders.ts';
import { TieredReader } from './read/tiered-reader.ts';
import { type Write, writeThrough } from './read/write-through.ts';
import type { RoleServers } from './redis/role-servers.ts';
import type { ReadyOptions, WarmReady } from './warm/warm-start.ts';
import type { WarmOptions, WarmResult } from './warm/warmer.ts';
import { type AnyFunction, type WrapOptions, type Wrapped, wrapFunction } from './wrap-function.ts';

/** What `createCache` answers: turns loaders and params into keys, and asks the parts. */
export class ReadThroughCache implements Cache {
  readonly #parts: CacheParts;
  readonly #servers: RoleServers;
  readonly #local: LocalLoaders;
  readonly #reads: TieredReader;
  /** Reads, sets and invalidations that `close()` lets finish. */
  readonly #underWay = new UnderWay();
  /** Most reads are of the loader that was read last. */
  #last: LocalLoader | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#servers = parts.servers;
    this.#local = parts.local;
    this.#reads = new TieredReader({ ...parts, underWay: this.#underWay });
    for (const loader of parts.registry) this.#local.add(loader);
  }

  // Not `...params`: a hit in memory takes less time than the array would.
  async get<P, R>(loader: Loader<P, R>, params?: ParamsArgument<NoInfer<P>>[0]): Promise<R> {
    const local = this.#known(loader);
    const key = encodeKey(params);
    const held = this.#reads.recall(local, key);
    if (held !== null) return local.tier?.valueOf(held) as R;
    return (await this.#reads.read(local, key)).value as R;
  }

  async getWithMeta<P, R>(
    loader: Loader<P, R>,
    ...params: ParamsArgument<NoInfer<P>>
  ): Promise<Meta<R>> {
    const answer = await this.#reads.answer(this.#known(loader), encodeKey(params[0]));
    return toMeta<R>(answer, this.#servers.clock.now());
  }

  async getMany<P, R>(loader: Loader<P, R>, params: readonly NoInfer<P>[]): Promise<R[]> {
    const local = this.#known(loader);
    return (await this.#reads.readMany(local, encodeKeys(params))) as R[];
  }

  async warm<P, R>(
    loader: Loader<P, R>,
    params: Iterable<NoInfer<P>> | AsyncIterable<NoInfer<P>>,
    options: WarmOptions = {},
  ): Promise<WarmResult> {
    const local = this.#known(loader);
    checkObject(options, 'options');
    const onDone = (key: string): void => void local.tier?.drop(key);
    return this.#write(() => this.#parts.warmer.warm(local.loader, params, { ...options, onDone }));
  }

  async set<P, R>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    value: Settable<NoInfer<R>>,
  ): Promise<void> {
    await this.setMany(loader, [[params, checkSettable(value, 'value')]]);
  }

  async setMany<P, R>(
    loader: Loader<P, R>,
    entries: readonly (readonly [params: NoInfer<P>, value: Settable<NoInfer<R>>])[],
  ): Promise<void> {
    const local = this.#known(loader);
    const values = entries.map(([params, value], at) => ({
      ref: this.#reads.ref(local, encodeKey(params)),
      value: checkSettable(value, `entries[${at}][1]`),
    }));
    await this.#write(() => this.#parts.writer.set(values));
  }

  async writeThrough<P, R, W>(
    loader: Loader<P, R>,
    params: NoInfer<P>,
    write: Write<W>,
  ): Promise<W> {
    const ref = this.#reads.ref(this.#known(loader), encodeKey(params));
    const { writer, invalidator } = this.#parts;
    return this.#write(() =>
      writeThrough(write, {
        set: (value) => writer.set([{ ref, value }]),
        invalidate: () => invalidator.keys(loader.name, [ref.key]),
      }),
    );
  }

  async invalidate<P, R>(
    loader: Loader<P, R>,
    ...params: [...params: ParamsArgument<NoInfer<P>>, options?: InvalidateOptions]
  ): Promise<boolean> {
    const { name } = this.#known(loader).loader;
    const key = encodeKey(params[0]);
    const options = params[1] as InvalidateOptions | undefined;
    return (await this.#invalidate((them) => them.keys(name, [key], options))) > 0;
  }

  async invalidateMany<P, R>(
    loader: Loader<P, R>,
    params: readonly NoInfer<P>[],
    options?: InvalidateOptions,
  ): Promise<number> {
    const { name } = this.#known(loader).loader;
    return this.#invalidate((them) => them.keys(name, encodeKeys(params), options));
  }

  async invalidateTags(
    tags: string | readonly string[],
    options?: InvalidateOptions,
  ): Promise<number> {
    return this.#invalidate((them) => them.tags(tags, options));
  }

  async invalidatePattern<P, R>(
    loader: Loader<P, R>,
    glob: string,
    options?: ConfirmOptions,
  ): Promise<number> {
    const { name } = this.#known(loader).loader;
    return this.#invalidate((them) => them.pattern(name, glob, options));
  }

  async invalidateLoader<P, R>(
    loader: Loader<P, R>,
    options?: LoaderInvalidateOptions,
  ): Promise<number> {
    const { name } = this.#known(loader).loader;
    return this.#invalidate((them) => them.loader(name, options));
  }

  async invalidateNamespace(options: ConfirmOptions): Promise<number> {
    return this.#invalidate((them) => them.namespace(options));
  }

  async applyInvalidation(invalidation: Invalidation): Promise<number> {
    return this.#invalidate((them) => them.apply(invalidation));
  }

  async explain<P, R>(
    loader: Loader<P, R>,
    ...[params]: ParamsArgument<NoInfer<P>>
  ): Promise<Explanation> {
    const { loader: known, recorder } = this.#known(loader);
    const key = encodeKey(params);
    await recorder?.flush();
    return this.#write(() => this.#parts.explainer.explain(known, key));
  }

  async pauseRefresh<P, R>(loader: Loader<P, R>): Promise<boolean> {
    const { loader: known } = this.#known(loader);
    return this.#write(() => this.#parts.control.pause(known));
  }

  async resumeRefresh<P, R>(loader: Loader<P, R>): Promise<boolean> {
    const { loader: known } = this.#known(loader);
    return this.#write(() => this.#parts.control.resume(known));
  }

  wrap<F extends AnyFunction, P = ParamsOf<Parameters<F>>>(
    fn: F,
    options: WrapOptions<Parameters<F>, P, Awaited<ReturnType<F>>>,
  ): Wrapped<F, P> {
    return wrapFunction(fn, options, this);
  }

  addLoader(loader: AnyLoader): void {
    this.#requireOpen(loader);
    if (!this.#parts.registry.add(loader)) return;
    this.#local.add(loader);
    this.#parts.versions.beat([loader]);
  }

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    return this.#parts.events.on(name, listener);
  }

  ready(): Promise<void>;
  ready(options: ReadyOptions): Promise<WarmReady>;
  ready(options?: ReadyOptions): Promise<unknown> {
    return options === undefined ? this.#servers.ready() : this.#parts.warmStart.ready(options);
  }

  close(): Promise<void> {
    this.#last = null;
    this.#closing ??= closeCache(this.#parts, this.#underWay);
    return this.#closing;
  }

  async #invalidate(run: (invalidator: Invalidator) => Promise<number>): Promise<number> {
    if (this.#closing !== null) throw new EverwarmError('CLOSED', 'the cache is closed');
    return this.#write(() => run(this.#parts.invalidator));
  }

  /** Runs what needs Redis, once the servers have answered or their time is up. */
  #write<T>(run: () => Promise<T>): Promise<T> {
    return this.#underWay.run(this.#servers.isReady ? run() : this.#servers.ready().then(run));
  }

  #requireOpen(loader: { readonly name: string }): void {
    if (this.#closing === null) return;
    throw new EverwarmError('CLOSED', `loader "${loader?.name}": the cache is closed`);
  }

  #known(loader: { readonly name: string }): LocalLoader {
    if (this.#last?.loader === loader) return this.#last;
    this.#requireOpen(loader);
    const local = this.#local.get(loader);
    if (!local) throw this.#parts.registry.unknown(loader);
    this.#last = local;
    return local;
  }
}
