import type { InvalidationEvent } from '../core/events.ts';
import type { Invalidation, InvalidationHook, InvalidationTarget } from '../core/invalidation.ts';
import { EntryScan } from '../redis/entry-scan.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { replicated } from '../redis/replicated.ts';
import {
  type ConfirmOptions,
  checkConfirmed,
  checkGlob,
  checkTags,
  checkVersion,
  type InvalidateOptions,
  type LoaderInvalidateOptions,
  resolveInvalidate,
} from './invalidate-options.ts';
import { type InvalidationParts, InvalidationRunner } from './invalidation-runner.ts';
import { parseInvalidation } from './parse-invalidation.ts';
import { REPEAT_WINDOW_MS } from './place-invalidator.ts';

const MAX_RECENT = 100;
/** Repetitions to come; over it the oldest is not waited for. */
const MAX_LATER = 10_000;

export interface InvalidatorParts extends Omit<InvalidationParts, 'scan'> {
  readonly cache: RedisClient;
  readonly onInvalidate: InvalidationHook | null;
}

/** Invalidates, tells who wants to know, and repeats what has to be done twice. */
export class Invalidator {
  readonly #parts: InvalidatorParts;
  readonly #runner: InvalidationRunner;
  /** Scans and tags of late, by what they were: keys are the places' own to repeat. */
  readonly #recent = new Map<string, { readonly what: Invalidation; readonly atMs: number }>();
  readonly #later = new Map<NodeJS.Timeout, Invalidation>();
  readonly #background = new Set<Promise<void>>();

  constructor(parts: InvalidatorParts) {
    this.#parts = parts;
    const { cache: client, keys, clock } = parts;
    this.#runner = new InvalidationRunner({
      ...parts,
      scan: new EntryScan({ client, keys, clock }),
    });
  }

  /**
   * Invalidates keys, by their texts. Like all methods it answers how many entries were removed, or marked.
   *
   * @throws InvalidOptionError; EverwarmError REDIS_UNAVAILABLE when Redis did not confirm it, or no
   * replica in time
   */
  keys(loader: string, keys: readonly string[], options?: InvalidateOptions): Promise<number> {
    return this.#invalidate({ kind: 'keys', loader, keys: [...new Set(keys)] }, options);
  }

  async tags(tags: string | readonly string[], options?: InvalidateOptions): Promise<number> {
    return this.#invalidate({ kind: 'tags', tags: checkTags(tags) }, options);
  }

  async pattern(loader: string, glob: string, options?: ConfirmOptions): Promise<number> {
    return this.#invalidate({ kind: 'pattern', loader, glob: checkGlob(glob, options) }, options);
  }

  async loader(loader: string, options?: LoaderInvalidateOptions): Promise<number> {
    const version = checkVersion(options?.version);
    return this.#invalidate({ kind: 'loader', loader, version }, options);
  }

  async namespace(options: ConfirmOptions): Promise<number> {
    checkConfirmed(options);
    return this.#invalidate({ kind: 'namespace' }, options);
  }

  /**
   * As the others for what another region's hook was called with; this one's is not called.
   *
   * @throws InvalidOptionError for anything else
   */
  apply(given: unknown): Promise<number> {
    return this.#run(parseInvalidation(given), false);
  }

  /** After a reconnect: what was invalidated just before may have been lost with the old server. */
  async repeatRecent(): Promise<void> {
    const oldestMs = this.#parts.clock.now() - REPEAT_WINDOW_MS;
    const recent = [...this.#recent.values()].filter(({ atMs }) => atMs >= oldestMs);
    const wide = recent.map(({ what }) => this.#runLater(what, 'reconnect'));
    await Promise.all([this.#repeatPlaces(), ...wide]);
  }

  /** Repeats at once what was to be repeated later, and waits for it and for hooks under way. */
  async close(): Promise<void> {
    for (const timer of this.#later.keys()) this.#repeatNow(timer);
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  async #invalidate(target: InvalidationTarget, options?: InvalidateOptions): Promise<number> {
    const { soft, againMs, durable } = resolveInvalidate(options);
    const what = { ...target, soft, ...(againMs === null ? {} : { againMs }) };
    const count = await this.#run(what, durable);
    this.#hook(what);
    return count;
  }

  async #run(what: Invalidation, durable: boolean): Promise<number> {
    const { cache, events } = this.#parts;
    const { againMs, ...once } = what;
    // Before, too: what is carried out by half, and then fails, may be lost as well.
    this.#remember(once);
    const count = durable
      ? await replicated(cache, (store) => this.#runner.run(once, { store }))
      : await this.#runner.run(once);
    this.#remember(once);
    if (againMs !== undefined) this.#repeatLater(once, againMs);
    events.emit('invalidation:completed', { ...eventOf(what), count });
    return count;
  }

  /** Whoever has read the old value again meanwhile may hold a copy of it. */
  async #repeatPlaces(): Promise<void> {
    const { places, keys } = this.#parts;
    const repeated = await places.repeatRecent();
    const names = repeated.map(({ entryKey }) => keys.parse(entryKey));
    await this.#runner.forget(names.filter((name) => name !== null));
  }

  #remember(what: Invalidation): void {
    if (what.kind === 'keys') return;
    const name = JSON.stringify(what);
    this.#recent.delete(name);
    this.#recent.set(name, { what, atMs: this.#parts.clock.now() });
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_RECENT && oldest !== undefined) this.#recent.delete(oldest);
  }

  #repeatLater(what: Invalidation, afterMs: number): void {
    const timer: NodeJS.Timeout = setTimeout(() => this.#repeatNow(timer), afterMs).unref();
    this.#later.set(timer, what);
    const [oldest] = this.#later.keys();
    if (this.#later.size > MAX_LATER && oldest) this.#repeatNow(oldest);
  }

  #repeatNow(timer: NodeJS.Timeout): void {
    const what = this.#later.get(timer);
    clearTimeout(timer);
    this.#later.delete(timer);
    if (what) this.#inBackground(this.#runLater(what, 'again'));
  }

  async #runLater(what: Invalidation, during: 'again' | 'reconnect'): Promise<void> {
    try {
      await this.#runner.run(what);
    } catch (error) {
      this.#parts.events.emit('invalidation:failed', { ...eventOf(what), during, error });
    }
  }

  #hook(what: Invalidation): void {
    const { onInvalidate } = this.#parts;
    if (onInvalidate) this.#inBackground(this.#callHook(onInvalidate, what));
  }

  async #callHook(hook: InvalidationHook, what: Invalidation): Promise<void> {
    try {
      await hook(what);
    } catch (error) {
      const { events } = this.#parts;
      events.emit('invalidation:failed', { ...eventOf(what), during: 'hook', error });
    }
  }

  /** For work that does not reject. */
  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}

function eventOf(what: Invalidation): InvalidationEvent {
  const { kind, soft } = what;
  return { kind, loader: 'loader' in what ? what.loader : null, soft };
}
