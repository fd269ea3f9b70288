import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { FencedLoad } from '../load/fenced-load.ts';
import type { LoadRef } from '../load/store-loaded.ts';
import { isFresh, isOverdue } from '../policy/freshness.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryReads } from '../redis/entry-reads.ts';
import { readStored, type StoredValue } from '../redis/stored-value.ts';
import type { AccessRecorder } from './access-recorder.ts';
import type { Answer } from './answer.ts';
import type { Miss, MissLoader } from './miss-loader.ts';
import type { SingleFlight } from './single-flight.ts';

/** A key to read: where it is, and who counts it. */
export type ReadRef = LoadRef & { readonly recorder: AccessRecorder | null };

type ReadMiss = Miss & { readonly ref: ReadRef };

/** How misses are loaded. */
interface Loading {
  one(miss: Miss): Promise<Answer>;
  many(misses: readonly Miss[]): Promise<PromiseSettledResult<Answer>[]>;
  /** How long a result serves this process's other readers. */
  readonly keepMs?: number;
}

export interface ReaderParts {
  readonly reads: EntryReads;
  readonly flights: SingleFlight<Answer>;
  readonly misses: MissLoader;
  readonly fenced: FencedLoad;
  readonly clock: Clock;
  readonly events: Events;
}

/** Reads of one life by this process before it refreshes a late key by itself. */
const READS_TO_STEP_IN = 2;
const MAX_BACKGROUND_LOADS = 8;
/** One life's refresh is tried that often, whether its lock is held elsewhere or its loader fails. */
const STEP_IN_AGAIN_MS = 1_000;
const MAX_STEPPED_IN = 10_000;
/** How long a value loaded without Redis serves this process's other readers. */
const KEEP_WITHOUT_REDIS_MS = 1_000;

/** Reads through the cache: one round trip for a hit, one load in the fleet for a miss. */
export class Reader {
  readonly #parts: ReaderParts;
  readonly #steppedIn = new LRUCache<string, true>({ max: MAX_STEPPED_IN, ttl: STEP_IN_AGAIN_MS });
  #backgroundLoads = 0;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  async read(ref: ReadRef): Promise<Answer> {
    let bytes: Buffer | null;
    try {
      bytes = await this.#parts.reads.get(ref.entryKey);
    } catch {
      return this.#withoutRedis([ref])(ref); // Its breaker has reported it.
    }
    const stored = bytes === null ? null : readStored(bytes);
    return this.#hit(ref, stored) ?? this.#miss(ref, stored);
  }

  /** As `read` for keys of one loader, in few round trips; all its misses by one `loadMany` if it has one. */
  async readMany(refs: readonly ReadRef[]): Promise<PromiseSettledResult<Answer>[]> {
    const found = await this.#parts.reads.getMany(refs.map((ref) => ref.entryKey));
    const unread = this.#withoutRedis(refs.filter((_, at) => found[at] === undefined));
    const misses: ReadMiss[] = [];
    const answers = refs.map((ref, at) => {
      const bytes = found[at];
      if (bytes === undefined) return unread(ref);
      const stored = bytes === null ? null : readStored(bytes);
      const hit = this.#hit(ref, stored);
      if (!hit) misses.push({ ref, seen: stored });
      return hit;
    });
    for (const { ref, seen } of misses) this.#reportMiss(ref, seen);
    const { misses: loader } = this.#parts;
    const loaded = this.#share(misses, {
      one: (miss) => loader.load(miss),
      many: (batch) => loader.loadMany(batch),
    });
    return Promise.allSettled(answers.map((hit, at) => hit ?? loaded(refs[at] as ReadRef)));
  }

  #hit(ref: ReadRef, stored: StoredValue | null): Answer | null {
    const nowMs = this.#parts.clock.now();
    if (!stored?.isReadable || !isFresh(stored.header, nowMs)) return null;
    const { header, value } = stored;
    this.#count(ref, header, nowMs);
    if (this.#parts.events.has('entry:hit')) {
      this.#parts.events.emit('entry:hit', { loader: ref.loader.name, key: ref.key });
    }
    const { createdAtMs, expiresAtMs } = header;
    return { value, source: 'redis', state: 'fresh', createdAtMs, expiresAtMs };
  }

  #count(ref: ReadRef, header: EntryHeader, nowMs: number): void {
    const reads = ref.recorder?.count(ref.key, header.expiresAtMs) ?? READS_TO_STEP_IN;
    if (reads === 1) ref.recorder?.observeLoad(header.load);
    if (reads >= READS_TO_STEP_IN && isOverdue(header, nowMs)) this.#stepIn(ref, header);
  }

  // Nobody has refreshed a key in time that is read: no scheduler, no worker, or both too late.
  #stepIn(ref: ReadRef, header: EntryHeader): void {
    const life = `${ref.entryKey} ${header.expiresAtMs}`;
    if (this.#backgroundLoads >= MAX_BACKGROUND_LOADS || this.#steppedIn.has(life)) return;
    this.#steppedIn.set(life, true);
    this.#backgroundLoads++;
    this.#parts.fenced
      .refresh(ref, header)
      .catch(() => undefined) // The connection has reported it; the entry is still fresh.
      .finally(() => {
        this.#backgroundLoads--;
      });
  }

  async #miss(ref: ReadRef, seen: StoredValue | null): Promise<Answer> {
    this.#reportMiss(ref, seen);
    const load = (): Promise<Answer> => this.#parts.misses.load({ ref, seen });
    return this.#counted(ref, this.#parts.flights.run(ref.entryKey, load));
  }

  /** Starts or joins a flight for each miss; those of a loader with `loadMany` share one call. */
  #share(misses: readonly ReadMiss[], load: Loading): (ref: ReadRef) => Promise<Answer> {
    const { flights } = this.#parts;
    const batched = misses.filter(
      ({ ref }) => ref.loader.loadMany !== undefined && !flights.has(ref.entryKey),
    );
    const batch = batched.length > 1 ? load.many(batched) : null;
    const places = new Map(batch === null ? [] : batched.map(({ ref }, at) => [ref, at]));
    const answers = new Map(
      misses.map((miss) => {
        const at = places.get(miss.ref);
        const start = (keep: (ms: number) => void): Promise<Answer> => {
          keep(load.keepMs ?? 0);
          return batch === null || at === undefined ? load.one(miss) : settledAt(batch, at);
        };
        const flight = flights.run(miss.ref.entryKey, start);
        return [miss.ref, this.#counted(miss.ref, flight)];
      }),
    );
    return (ref) => answers.get(ref) as Promise<Answer>;
  }

  /** Loads for this process alone, where Redis is away or does not answer in time. */
  #withoutRedis(refs: readonly ReadRef[]): (ref: ReadRef) => Promise<Answer> {
    const { misses: loader } = this.#parts;
    const misses = refs.map((ref) => ({ ref, seen: null }));
    return this.#share(misses, {
      one: (miss) => settledAt(loader.loadUnlocked([miss]), 0),
      many: (batch) => loader.loadUnlocked(batch),
      keepMs: KEEP_WITHOUT_REDIS_MS,
    });
  }

  async #counted(ref: ReadRef, flight: Promise<Answer>): Promise<Answer> {
    const answer = await flight;
    ref.recorder?.count(ref.key, answer.expiresAtMs);
    return answer;
  }

  #reportMiss(ref: ReadRef, seen: StoredValue | null): void {
    const cause = seen === null ? 'absent' : seen.isReadable ? 'expired' : 'unreadable';
    this.#parts.events.emit('entry:missed', { loader: ref.loader.name, key: ref.key, cause });
  }
}

async function settledAt(
  batch: Promise<PromiseSettledResult<Answer>[]>,
  at: number,
): Promise<Answer> {
  const result = (await batch)[at];
  if (result?.status === 'fulfilled') return result.value;
  throw result?.reason;
}
