import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { LoadRef } from '../load/store-loaded.ts';
import { decodeKey } from '../loaders/key-codec.ts';
import { ttlOfValue } from '../loaders/times.ts';
import type { EntryPlace, EntryStore } from '../redis/entry-store.ts';
import { encodeStored } from '../redis/stored-value.ts';
import type { Announcer, Dropped, LocalDrop } from './dropped.ts';

/** An invalidation that Redis has not confirmed by then has failed. */
const INVALIDATE_DEADLINE_MS = 5_000;
/** A failover may lose the last writes: invalidations of this long are repeated after a reconnect. */
const REPEAT_WINDOW_MS = 10_000;
const MAX_REPEATED = 10_000;
const RETRY_MS = 50;

export interface WriterParts {
  readonly store: EntryStore;
  readonly drops: LocalDrop;
  readonly bus: Announcer;
  readonly clock: Clock;
}

/** Sets and invalidates entries, each in a way that no load under way can undo. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #recent: { readonly place: EntryPlace; readonly atMs: number }[] = [];

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /**
   * Stores a value. When it cannot be known to be stored the entry is invalidated, and the error thrown.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE
   */
  async set(ref: LoadRef, value: unknown): Promise<void> {
    const nowMs = this.#parts.clock.now();
    const { loader, key } = ref;
    const ttlMs = loader.ttlOf === null ? loader.ttlMs : ttlOfValue(loader, value, decodeKey(key));
    const header = {
      createdAtMs: Math.floor(nowMs),
      expiresAtMs: Math.floor(nowMs + ttlMs),
      load: { meanMs: 0, deviationMs: 0 },
      logHeat: Number.NaN,
      unreadLives: 0,
      invalidated: false,
      notFound: false,
    };
    const bytes = encodeStored(header, value, { format: loader.format });
    await this.#detached(ref, async () => {
      try {
        const reply = await this.#parts.store.put(ref, bytes, ttlMs + loader.keptStaleMs);
        // An entry we may not overwrite would go on hiding the value that is newer than it.
        if (reply === 'newer-format') await this.#invalidate(ref);
      } catch (error) {
        await this.#invalidate(ref, 'could neither be set nor invalidated');
        const message = `key ${ref.key} was not set, its entry is invalidated: ${messageOf(error)}`;
        throw new EverwarmError('REDIS_UNAVAILABLE', message, { cause: error });
      }
    });
  }

  /**
   * Removes an entry; retried until its deadline of 5 s.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE when it could not be confirmed
   */
  invalidate(ref: LoadRef): Promise<boolean> {
    return this.#detached(ref, () => this.#invalidate(ref));
  }

  /** After a reconnect: what was invalidated just before may have been lost with the old server. */
  async repeatRecent(): Promise<void> {
    this.#forgetOld();
    await Promise.allSettled(this.#recent.map(({ place }) => this.#parts.store.invalidate(place)));
  }

  async #invalidate(
    ref: EntryPlace & { readonly key: string },
    failed = 'could not be invalidated',
  ): Promise<boolean> {
    const startedAtMs = this.#parts.clock.now();
    for (;;) {
      try {
        const existed = await this.#parts.store.invalidate(ref);
        this.#forgetOld();
        const { entryKey, lockKey } = ref;
        this.#recent.push({ place: { entryKey, lockKey }, atMs: this.#parts.clock.now() });
        if (this.#recent.length > MAX_REPEATED) this.#recent.shift();
        return existed;
      } catch (error) {
        if (this.#parts.clock.now() - startedAtMs > INVALIDATE_DEADLINE_MS) {
          const message = `key ${ref.key} ${failed} within ${INVALIDATE_DEADLINE_MS} ms: ${messageOf(error)}`;
          throw new EverwarmError('REDIS_UNAVAILABLE', message, { cause: error });
        }
        await delay(RETRY_MS);
      }
    }
  }

  // Flights from before read an older state, and so may one that began while the write was on its way.
  async #detached<T>(ref: LoadRef, write: () => Promise<T>): Promise<T> {
    const { drops, bus } = this.#parts;
    const what: Dropped = { kind: 'keys', loader: ref.loader.name, keys: [ref.key] };
    drops.drop(what);
    try {
      const done = await write();
      await bus.announce(what);
      return done;
    } finally {
      drops.drop(what);
    }
  }

  #forgetOld(): void {
    const oldestMs = this.#parts.clock.now() - REPEAT_WINDOW_MS;
    while ((this.#recent[0]?.atMs ?? Number.POSITIVE_INFINITY) < oldestMs) this.#recent.shift();
  }
}
