import type { Clock } from '../core/clock.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { Announcer, LocalDrop } from '../invalidate/dropped.ts';
import type { PlaceInvalidator } from '../invalidate/place-invalidator.ts';
import { type EntryTags, type Refused, tagsOf } from '../load/entry-tags.ts';
import type { LoadRef } from '../load/locked-ref.ts';
import { ttlOfValue } from '../loaders/times.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import { encodeStored } from '../redis/stored-value.ts';

/** More at a time would hold up the server's other clients, and wait for each other longer than a write may. */
const CHUNK = 500;

export interface WriterParts {
  readonly store: EntryStore;
  readonly places: PlaceInvalidator;
  readonly tags: EntryTags;
  readonly local: LocalDrop;
  readonly announcer: Announcer;
  readonly clock: Clock;
}

export interface SetValue {
  readonly ref: LoadRef;
  readonly value: unknown;
}

interface SetEntry {
  readonly ref: LoadRef;
  readonly bytes: Buffer;
  readonly lifeMs: number;
}

/** Sets entries, in a way that no load under way can undo. */
export class Writer {
  readonly #parts: WriterParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /**
   * Stores values of one loader. One that cannot be known to be stored is invalidated, and the error of
   * the first such thrown once all have settled.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE; before anything is written, what its loader's `tags`, `ttl` or
   * codec throws
   */
  async set(values: readonly SetValue[]): Promise<void> {
    const nowMs = this.#parts.clock.now();
    const entries = values.map(({ ref, value }) => toEntry(ref, value, nowMs));
    await this.#dropped(entries, async () => {
      for (let from = 0; from < entries.length; from += CHUNK) {
        try {
          await this.#putAll(entries.slice(from, from + CHUNK));
        } catch (error) {
          // The others would only wait for the same server; what they had is old all the same.
          await this.#invalidate(entries.slice(from + CHUNK)).catch(() => undefined);
          throw error;
        }
      }
    });
  }

  async #putAll(entries: readonly SetEntry[]): Promise<void> {
    const refused = await this.#tagged(entries);
    const settled = await Promise.allSettled(
      entries.map((entry, at) => this.#put(entry, refused.get(at))),
    );
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  }

  async #put(entry: SetEntry, refused: Refused | undefined): Promise<void> {
    const { ref, bytes, lifeMs } = entry;
    try {
      if (refused) throw refused.error;
      const reply = await this.#parts.store.put(ref, bytes, lifeMs);
      // An entry we may not overwrite would go on hiding the value that is newer than it.
      if (reply === 'newer-format') await this.#invalidate([entry]);
    } catch (error) {
      await this.#invalidate([entry], 'could neither be set nor invalidated');
      const message = `key ${ref.key} was not set, its entry is invalidated: ${messageOf(error)}`;
      throw new EverwarmError('REDIS_UNAVAILABLE', message, { cause: error });
    }
  }

  /** Which entries, by their place, must not be stored, and why. */
  async #tagged(entries: readonly SetEntry[]): Promise<ReadonlyMap<number, Refused>> {
    if (!entries[0]?.ref.loader.isTagged) return new Map();
    const keptMs = Math.max(...entries.map(({ lifeMs }) => lifeMs));
    return this.#parts.tags.add(
      entries.map(({ ref }) => ref),
      keptMs,
    );
  }

  async #invalidate(
    entries: readonly SetEntry[],
    failed = 'could not be invalidated',
  ): Promise<void> {
    const places = entries.map(({ ref }) => ref);
    await this.#parts.places.invalidate(places, { soft: false, failed });
  }

  // Flights from before read an older state, and so may one that began while the write was on its way.
  async #dropped(entries: readonly SetEntry[], write: () => Promise<void>): Promise<void> {
    const { local, announcer } = this.#parts;
    const loader = entries[0]?.ref.loader;
    if (!loader) return;
    const what = {
      kind: 'keys',
      loader: loader.name,
      keys: entries.map(({ ref }) => ref.key),
    } as const;
    local.drop(what);
    try {
      await write();
    } finally {
      local.drop(what);
      await announcer.announce(what).catch(() => undefined); // Others then have its ttl.
    }
  }
}

function toEntry(ref: LoadRef, value: unknown, nowMs: number): SetEntry {
  const { loader, key } = ref;
  tagsOf(loader, key);
  const ttlMs = ttlOfValue(loader, value, key);
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
  return { ref, bytes, lifeMs: ttlMs + loader.keptStaleMs };
}
