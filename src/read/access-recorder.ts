import { LONGEST_LIFE_MS } from '../config/rules.ts';
import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { flushMs } from '../policy/cadence.ts';
import { leadMs, lookAheadMs } from '../policy/lead-time.ts';
import type { Smoothed } from '../policy/load-time.ts';
import { livesVary, shortestLifeMs } from '../policy/varying-life.ts';
import type { Breakers } from '../redis/breakers.ts';
import type { AccessRecord, Tracker } from '../redis/tracker.ts';

/** Reads of one key by this process. */
export interface Reads {
  /** Not yet sent. */
  pending: number;
  /** In the life that ends at `expiresAtMs`. */
  inLife: number;
  expiresAtMs: number;
  /** Whether all that are pending were answered by this process's own copy. */
  isOfCopy: boolean;
  /** What is counted here from now on is not sent. */
  isForgotten: boolean;
}

/** A copy that this process answers reads with; it keeps the count of them at hand. */
export interface CountedCopy {
  readonly expiresAtMs: number;
  reads: Reads | null;
}

export interface RecorderParts {
  readonly tracker: Tracker;
  /** While the tracker's server is away nothing is sent, but for a probe now and then. */
  readonly breakers: Breakers;
  readonly clock: Clock;
  readonly events: Events;
  readonly loader: AnyLoader;
  readonly flushIntervalMs: number;
  readonly recordRate: number;
  readonly maxPendingKeys: number;
  readonly random: () => number;
}

/**
 * Counts one loader's reads in this process and sends them to the tracker now and then, never on the
 * way of a read. Bounded: what does not fit, or a tracker that is away does not take, is dropped and
 * counted, because heat is an estimate and a waiting reader is not.
 */
export class AccessRecorder {
  readonly #parts: RecorderParts;
  readonly #reads = new Map<string, Reads>();
  readonly #flushMs: number;
  readonly #timer: NodeJS.Timeout;
  #load: Smoothed | null = null;
  #flushing: Promise<void> | null = null;
  #overflowed = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#flushMs = flushMs(parts.flushIntervalMs, shortestLifeMs(parts.loader));
    this.#timer = setInterval(() => void this.flush(), this.#flushMs).unref();
  }

  /** Counts one read; answers how many there were in this life of the entry. Never waits or throws. */
  count(key: string, expiresAtMs: number): number {
    const reads = this.#reads.get(key) ?? this.#add(key);
    if (reads === null) return 1;
    reads.isOfCopy = false;
    return counted(reads, expiresAtMs);
  }

  /** As `count`, of a read that a copy in this process answered: its entry may have been refreshed since. */
  countCopy(key: string, copy: CountedCopy): void {
    if (copy.reads === null || copy.reads.isForgotten) {
      copy.reads = this.#reads.get(key) ?? this.#add(key);
    }
    if (copy.reads !== null) counted(copy.reads, copy.expiresAtMs);
  }

  /** The load time the next first looks reckon with. */
  observeLoad(load: Smoothed): void {
    this.#load = load;
  }

  /** Sends what is pending; never rejects. One flush at a time: a slow tracker makes it rarer. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flushOnce().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }

  #add(key: string): Reads | null {
    if (this.#reads.size >= this.#parts.maxPendingKeys) {
      this.#overflowed++;
      return null;
    }
    const reads = { pending: 0, inLife: 0, expiresAtMs: 0, isOfCopy: true, isForgotten: false };
    this.#reads.set(key, reads);
    return reads;
  }

  async #flushOnce(): Promise<void> {
    const { tracker, breakers, clock, events, loader } = this.#parts;
    const nowMs = clock.now();
    const records = this.#sample(this.#collect(nowMs));
    let dropped = this.#overflowed;
    this.#overflowed = 0;
    let error: unknown = null;
    try {
      const at = { nowMs, lookAheadMs: this.#lookAheadMs() };
      const send = (): Promise<number> => tracker.record(records, at);
      // Nothing to send says nothing about the server.
      if (records.length > 0) dropped += await breakers.guard(tracker.heatKey, send);
    } catch (cause) {
      error = cause;
      dropped += records.length;
    }
    if (dropped > 0) events.emit('reads:dropped', { loader: loader.name, keys: dropped, error });
  }

  #collect(nowMs: number): AccessRecord[] {
    const records: AccessRecord[] = [];
    const isCrowded = this.#reads.size > this.#parts.maxPendingKeys / 2;
    for (const [key, reads] of this.#reads) {
      if (reads.pending > 0) {
        const { pending, expiresAtMs, isOfCopy } = reads;
        records.push({ key, reads: pending, expiresAtMs, ...(isOfCopy ? { isOfCopy } : {}) });
        reads.pending = 0;
        reads.isOfCopy = true;
      } else if (isCrowded || reads.expiresAtMs < nowMs) {
        reads.isForgotten = true;
        this.#reads.delete(key);
      }
    }
    return records;
  }

  // Above the rate each key is kept with probability p and weighs 1/p: heat stays right on average.
  #sample(records: AccessRecord[]): AccessRecord[] {
    const most = (this.#parts.recordRate * this.#flushMs) / 1_000;
    const p = most / records.length;
    if (p >= 1) return records;
    return records
      .filter(() => this.#parts.random() < p)
      .map((record) => ({ ...record, reads: record.reads / p }));
  }

  #lookAheadMs(): number {
    const { loader } = this.#parts;
    // An expiry does not tell how long the life is: the scheduler, which sees that, looks at once.
    if (livesVary(loader)) return LONGEST_LIFE_MS;
    const { ttlMs, refresh } = loader;
    const { minLeadMs, spread } = refresh;
    return lookAheadMs({
      ttlMs,
      spread,
      leadMs: leadMs({ load: this.#load, wait: null, tickMs: 0, ttlMs, minLeadMs }),
    });
  }
}

function counted(reads: Reads, expiresAtMs: number): number {
  reads.pending++;
  if (reads.expiresAtMs !== expiresAtMs) {
    reads.expiresAtMs = expiresAtMs;
    reads.inLife = 0;
  }
  return ++reads.inLife;
}
