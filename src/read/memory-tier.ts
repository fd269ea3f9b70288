import { LRUCache } from 'lru-cache';
import type { MemorySettings } from '../config/memory-option.ts';
import { overdueAtMs } from '../policy/freshness.ts';
import type { EntryHeader } from '../redis/entry.ts';
import { deepFreeze } from './deep-freeze.ts';

/*
 * A copy in this process:  fill begins (the read is sent) → fill ends (kept) → dropped, replaced or too old
 * A fill during which its key was dropped is not kept: the value it read may be the one that went.
 */

/** A value as it is kept: until when it may be answered, and what a reader wants to know of it. */
export interface Held {
  readonly value: unknown;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly untilMs: number;
}

/** A value read from Redis. */
export interface Filling {
  readonly value: unknown;
  readonly header: EntryHeader;
  /** Length of the entry. */
  readonly bytes: number;
  /** What `begin()` answered before the read was sent. */
  readonly began: number;
  readonly nowMs: number;
}

const MAX_REMEMBERED_DROPS = 10_000;

/** One loader's values in this process, by key text: a backstop's worth of seconds old at most. */
export class MemoryTier {
  readonly #settings: MemorySettings;
  readonly #held: LRUCache<string, Held>;
  /** Key → number of its last drop; what falls out of it raises the floor, so that nothing is forgotten. */
  readonly #drops: LRUCache<string, number>;
  #lastDrop = 0;
  /** Fills that began before this drop are not kept, whatever their key. */
  #floor = 0;

  constructor(settings: MemorySettings) {
    this.#settings = settings;
    this.#held = new LRUCache({
      ...(settings.maxEntries === null ? {} : { max: settings.maxEntries }),
      ...(settings.maxBytes === null ? {} : { maxSize: settings.maxBytes }),
    } as LRUCache.Options<string, Held, unknown>);
    this.#drops = new LRUCache({
      max: MAX_REMEMBERED_DROPS,
      dispose: (drop, _key, reason) => {
        if (reason === 'evict') this.#floor = Math.max(this.#floor, drop);
      },
    });
  }

  /** The value to answer, or null. */
  get(key: string, nowMs: number): Held | null {
    const held = this.#held.get(key);
    return held === undefined || nowMs >= held.untilMs ? null : held;
  }

  /** The value of what `get` answered, as a caller may have it. */
  valueOf(held: Held): unknown {
    return this.#settings.sharing === 'cloned' ? structuredClone(held.value) : held.value;
  }

  /** Before a read is sent to Redis: names the state it will be of. */
  begin(): number {
    return this.#lastDrop;
  }

  /** Keeps what was read, unless the key was dropped since; answers what the reader gets. */
  fill(key: string, { value, header, bytes, began, nowMs }: Filling): unknown {
    if (began < this.#floor || began < (this.#drops.peek(key) ?? 0)) return value;
    const { sharing, ttlMs, maxBytes } = this.#settings;
    // Towards its end Redis is asked again: there the refreshed value will be.
    const untilMs = Math.min(nowMs + ttlMs, overdueAtMs(header));
    if (nowMs >= untilMs) return value;
    if (sharing === 'frozen') deepFreeze(value);
    const own = sharing === 'cloned' ? structuredClone(value) : value;
    const { createdAtMs, expiresAtMs } = header;
    const held = { value: own, createdAtMs, expiresAtMs, untilMs };
    this.#held.set(key, held, maxBytes === null ? {} : { size: bytes });
    return value;
  }

  drop(key: string): void {
    this.#held.delete(key);
    this.#drops.set(key, ++this.#lastDrop);
  }

  dropAll(): void {
    this.#floor = ++this.#lastDrop;
    this.#held.clear();
    this.#drops.clear();
  }
}
