import { LRUCache } from 'lru-cache';
import type { MemorySettings } from '../config/memory-option.ts';
import { type Clock, CoarseClock } from '../core/clock.ts';
import { overdueAtMs } from '../policy/freshness.ts';
import { hash01 } from '../policy/xfetch.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { CountedCopy } from './access-recorder.ts';
import { deepCopy } from './deep-copy.ts';
import { deepFreeze } from './deep-freeze.ts';

/*
 * A copy in this process:  fill begins (the read is sent) → fill ends (kept) → dropped, replaced or too old
 * A fill during which its key was dropped is not kept: the value it read may be the one that went.
 */

/** A value as it is kept, and what a reader wants to know of it. */
export interface Held extends CountedCopy {
  readonly value: unknown;
  readonly createdAtMs: number;
  /** Until when it may be answered, by the tier's own clock. */
  readonly untilMs: number;
}

/** A value read from Redis. */
export interface Filling {
  readonly value: unknown;
  readonly header: EntryHeader;
  /** Length of the entry; null: unknown. */
  readonly bytes: number | null;
  /** What `begin()` answered before the read was sent. */
  readonly began: number;
  /** By the clock of the entry's header. */
  readonly nowMs: number;
}

/**
 * Drops are remembered by stripe, so that they need no memory of their own: a fill is not kept either
 * when a key beside it was dropped meanwhile, and the next read fills.
 */
const STRIPES = 1_024;
const STRIPE_SEED = 0;

/** One loader's values in this process, by key text: a backstop's worth of seconds old at most. */
export class MemoryTier {
  readonly #settings: MemorySettings;
  readonly #clock: Clock;
  readonly #held: LRUCache<string, Held>;
  /** Number of the last drop of each stripe. */
  readonly #drops = new Float64Array(STRIPES);
  #lastDrop = 0;
  /** Fills that began before this drop are not kept, whatever their key. */
  #floor = 0;

  /** @param clock - not the servers' one: a step of that must not lengthen the tier's ttl */
  constructor(settings: MemorySettings, clock: Clock = new CoarseClock()) {
    this.#settings = settings;
    this.#clock = clock;
    // Without `max`, which would take the memory for that many entries at once.
    this.#held = new LRUCache({ maxSize: settings.maxBytes ?? Number.MAX_SAFE_INTEGER });
  }

  /** The value to answer, or null. */
  get(key: string): Held | null {
    const held = this.#held.get(key);
    if (held === undefined) return null;
    if (this.#clock.now() < held.untilMs) return held;
    this.#held.delete(key);
    return null;
  }

  /** The value of what `get` answered, as a caller may have it. */
  valueOf(held: Held): unknown {
    return this.#settings.sharing === 'cloned' ? deepCopy(held.value) : held.value;
  }

  /** Before a read is sent to Redis: names the state it will be of. */
  begin(): number {
    return this.#lastDrop;
  }

  /** Keeps what was read, unless the key was dropped since, or something newer is held. */
  fill(key: string, { value, header, bytes, began, nowMs }: Filling): void {
    if (began < this.#floor || began < (this.#drops[stripeOf(key)] ?? 0)) return;
    // Towards its end Redis is asked again: there the refreshed value will be.
    const spanMs = Math.min(this.#settings.ttlMs, overdueAtMs(header) - nowMs);
    if (spanMs <= 0) return;
    const { createdAtMs, expiresAtMs } = header;
    const kept = this.#isOutOfOrder(key, createdAtMs) ? null : this.#kept(value, bytes);
    if (kept === null) {
      this.#held.delete(key);
      return;
    }
    const untilMs = this.#clock.now() + spanMs;
    const { maxEntries, maxBytes } = this.#settings;
    const size = maxBytes === null ? 1 : Math.max(1, (bytes ?? 0) + key.length);
    const held = { value: kept.value, createdAtMs, expiresAtMs, untilMs, reads: null };
    this.#held.set(key, held, { size });
    if (maxEntries !== null && this.#held.size > maxEntries) this.#held.pop();
  }

  // Which of two is in Redis only Redis knows: its answers may come in another order than they left.
  #isOutOfOrder(key: string, createdAtMs: number): boolean {
    return (this.get(key)?.createdAtMs ?? 0) > createdAtMs;
  }

  drop(key: string): void {
    this.#held.delete(key);
    this.#drops[stripeOf(key)] = ++this.#lastDrop;
  }

  dropAll(): void {
    this.#floor = ++this.#lastDrop;
    this.#held.clear();
  }

  /**
   * Null: not kept. What cannot be shared as the options say is not shared, and a read must not fail of it;
   * of a value that was just loaded only Redis knows the size.
   */
  #kept(value: unknown, bytes: number | null): { readonly value: unknown } | null {
    const { sharing, maxBytes } = this.#settings;
    if (maxBytes !== null && bytes === null) return null;
    try {
      if (sharing === 'frozen') deepFreeze(value);
      return { value: sharing === 'cloned' ? deepCopy(value) : value };
    } catch {
      return null;
    }
  }
}

function stripeOf(key: string): number {
  return Math.floor(hash01(key, STRIPE_SEED) * STRIPES);
}
