import type { Clock } from '../core/clock.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { type EntryTags, tagsOf } from '../load/entry-tags.ts';
import type { LoadRef } from '../load/store-loaded.ts';
import { decodeKey } from '../loaders/key-codec.ts';
import { ttlOfValue } from '../loaders/times.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import { encodeStored } from '../redis/stored-value.ts';
import type { Announcer, LocalDrop } from './dropped.ts';
import type { PlaceInvalidator } from './place-invalidator.ts';

export interface WriterParts {
  readonly store: EntryStore;
  readonly places: PlaceInvalidator;
  readonly tags: EntryTags;
  readonly local: LocalDrop;
  readonly announcer: Announcer;
  readonly clock: Clock;
}

/** Sets entries, in a way that no load under way can undo. */
export class Writer {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /**
   * Stores a value. When it cannot be known to be stored the entry is invalidated, and the error thrown.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE; what its loader's `tags` throws
   */
  async set(ref: LoadRef, value: unknown): Promise<void> {
    const { loader, key } = ref;
    tagsOf(loader, key);
    const ttlMs = loader.ttlOf === null ? loader.ttlMs : ttlOfValue(loader, value, decodeKey(key));
    const nowMs = this.#parts.clock.now();
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
    await this.#dropped(ref, async () => {
      try {
        const lifeMs = ttlMs + loader.keptStaleMs;
        await this.#requireTags(ref, lifeMs);
        const reply = await this.#parts.store.put(ref, bytes, lifeMs);
        // An entry we may not overwrite would go on hiding the value that is newer than it.
        if (reply === 'newer-format') await this.#invalidate(ref);
      } catch (error) {
        await this.#invalidate(ref, 'could neither be set nor invalidated');
        const message = `key ${ref.key} was not set, its entry is invalidated: ${messageOf(error)}`;
        throw new EverwarmError('REDIS_UNAVAILABLE', message, { cause: error });
      }
    });
  }

  async #requireTags(ref: LoadRef, lifeMs: number): Promise<void> {
    if (!ref.loader.isTagged) return;
    const refused = await this.#parts.tags.add([ref], lifeMs);
    if (refused.has(0)) throw refused.get(0);
  }

  async #invalidate(ref: LoadRef, failed = 'could not be invalidated'): Promise<void> {
    await this.#parts.places.invalidate([ref], { soft: false, failed });
  }

  // Flights from before read an older state, and so may one that began while the write was on its way.
  async #dropped<T>(ref: LoadRef, write: () => Promise<T>): Promise<T> {
    const { local, announcer } = this.#parts;
    const what = { kind: 'keys', loader: ref.loader.name, keys: [ref.key] } as const;
    local.drop(what);
    try {
      return await write();
    } finally {
      local.drop(what);
      await announcer.announce(what).catch(() => undefined); // Others then have its ttl.
    }
  }
}
