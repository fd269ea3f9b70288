import type { Clock } from '../core/clock.ts';
import type { EventMap, Events } from '../core/events.ts';
import { type Found, readable, reportMismatch } from '../load/readable.ts';
import { isOverdue, usability } from '../policy/freshness.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryReads } from '../redis/entry-reads.ts';
import { type Answer, fresh, stale } from './answer.ts';
import type { Miss } from './flight.ts';
import type { LateRefreshes } from './late-refreshes.ts';
import type { MissLoader } from './miss-loader.ts';
import type { ReadRef } from './read-ref.ts';
import type { SingleFlight } from './single-flight.ts';

/** What Redis had under a key, and the state of the in-process tier from before it was asked. */
interface Fetched {
  readonly bytes: Buffer | null;
  readonly stored: Found;
  readonly began: number;
}

type ReadMiss = Miss & { readonly ref: ReadRef; readonly began: number };

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
  readonly lateRefreshes: LateRefreshes;
  readonly clock: Clock;
  readonly events: Events;
}

/** Reads of one life by this process before it refreshes a late key by itself. */
const READS_TO_STEP_IN = 2;
/** How long a value loaded without Redis serves this process's other readers. */
const KEEP_WITHOUT_REDIS_MS = 1_000;

/** Reads through the cache: one round trip for a hit, one load in the fleet for a miss. */
export class Reader {
  readonly #parts: ReaderParts;
  readonly #hitListeners: ReadonlySet<unknown>;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#hitListeners = parts.events.listeners('entry:hit');
  }

  async read(ref: ReadRef): Promise<Answer> {
    const began = ref.tier?.begin() ?? 0;
    let bytes: Buffer | null;
    try {
      bytes = await this.#parts.reads.get(ref.entryKey);
    } catch {
      return this.#withoutRedis([ref])(ref); // Its breaker has reported it.
    }
    const found = readable(ref.loader, bytes);
    const stored = found instanceof Promise ? await found : found;
    return this.#hit(ref, { bytes, stored, began }) ?? this.#miss({ ref, seen: stored, began });
  }

  /** As `read` for keys of one loader, in few round trips; all its misses by one `loadMany` if it has one. */
  async readMany(refs: readonly ReadRef[]): Promise<PromiseSettledResult<Answer>[]> {
    const began = refs[0]?.tier?.begin() ?? 0;
    const found = await this.#parts.reads.getMany(refs.map((ref) => ref.entryKey));
    const unread = this.#withoutRedis(refs.filter((_, at) => found[at] === undefined));
    const all = await Promise.all(
      refs.map(({ loader }, at) => readable(loader, found[at] ?? null)),
    );
    const misses: ReadMiss[] = [];
    const answers = refs.map((ref, at) => {
      const bytes = found[at];
      if (bytes === undefined) return unread(ref);
      const stored = all[at] ?? null;
      const hit = this.#hit(ref, { bytes, stored, began });
      if (!hit) misses.push({ ref, seen: stored, began });
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

  #hit(ref: ReadRef, { bytes, stored, began }: Fetched): Answer | null {
    if (!stored?.isReadable) return null;
    const nowMs = this.#parts.clock.now();
    const { header, value } = stored;
    const use = usability(header, ref.loader, nowMs);
    if (use === 'revalidate' && !ref.loader.refresh.isOff)
      return this.#revalidate(ref, header, value);
    if (use !== 'fresh') return null;
    this.#count(ref, header, nowMs);
    if (this.#hitListeners.size > 0) {
      const { loader, key } = ref;
      this.#parts.events.emit('entry:hit', { loader: loader.name, key, source: 'redis' });
    }
    const size = bytes?.length ?? 0;
    ref.tier?.fill(ref.key, { value, header, bytes: size, began, nowMs });
    return fresh(value, 'redis', header);
  }

  #revalidate(ref: ReadRef, header: EntryHeader, value: unknown): Answer {
    ref.recorder?.count(ref.key, header.expiresAtMs);
    this.#parts.lateRefreshes.stepIn(ref, header);
    const why = header.invalidated ? 'invalidated' : 'revalidating';
    return this.#reported(ref, stale(value, why, header));
  }

  #count(ref: ReadRef, header: EntryHeader, nowMs: number): void {
    const reads = ref.recorder?.count(ref.key, header.expiresAtMs) ?? READS_TO_STEP_IN;
    if (reads === 1) ref.recorder?.observeLoad(header.load);
    if (reads < READS_TO_STEP_IN || ref.loader.refresh.isOff) return;
    if (isOverdue(header, nowMs)) this.#parts.lateRefreshes.stepIn(ref, header);
  }

  async #miss(miss: ReadMiss): Promise<Answer> {
    const { ref, seen } = miss;
    this.#reportMiss(ref, seen);
    const load = (keep: (ms: number) => void): Promise<Answer> =>
      this.#parts.misses.load(miss, () => keep(KEEP_WITHOUT_REDIS_MS));
    return this.#awaited(miss, this.#parts.flights.run(ref.entryKey, load));
  }

  /** The answer of a flight for one of its readers: counted, and told if it is stale, once for each. */
  async #awaited(miss: ReadMiss, flight: Promise<Answer>): Promise<Answer> {
    const { ref } = miss;
    const answer = await (miss.seen?.isReadable ? this.#inTime(miss, flight) : flight);
    this.#keep(miss, answer);
    ref.recorder?.count(ref.key, answer.expiresAtMs);
    return answer.state === 'stale' ? this.#reported(ref, answer) : answer;
  }

  /** A loaded value is this process's copy from now on, before one that a slower read finds. */
  #keep({ ref, began }: ReadMiss, { value, made }: Answer): void {
    if (made === null || ref.tier === null) return;
    const nowMs = this.#parts.clock.now();
    ref.tier.fill(ref.key, { value, header: made, bytes: null, began, nowMs });
  }

  /** What the flight comes to; sooner or instead the stale value in hand, if it may be. The flight goes on. */
  #inTime(miss: ReadMiss, flight: Promise<Answer>): Promise<Answer> {
    const { misses } = this.#parts;
    const { softTimeoutMs } = miss.ref.loader;
    // Who joined the flight may have found what its starter had not.
    const settled = flight.catch((error: unknown) => {
      const answer = misses.stale(miss, 'load-failed');
      if (answer) return answer;
      throw error;
    });
    if (softTimeoutMs === null) return settled;
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        const answer = misses.stale(miss, 'load-slow');
        if (answer) resolve(answer);
      }, softTimeoutMs);
      settled.then(resolve, reject).finally(() => clearTimeout(timeout));
    });
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
        const answer = this.#awaited(miss, flight);
        answer.catch(() => undefined); // Whoever asks for it may do so later.
        return [miss.ref, answer];
      }),
    );
    return (ref) => answers.get(ref) as Promise<Answer>;
  }

  /** Loads for this process alone, where Redis is away or does not answer in time. */
  #withoutRedis(refs: readonly ReadRef[]): (ref: ReadRef) => Promise<Answer> {
    const { misses: loader } = this.#parts;
    const misses = refs.map((ref) => ({ ref, seen: null, began: 0 }));
    return this.#share(misses, {
      one: (miss) => settledAt(loader.loadUnlocked([miss]), 0),
      many: (batch) => loader.loadUnlocked(batch),
      keepMs: KEEP_WITHOUT_REDIS_MS,
    });
  }

  #reported({ loader, key }: ReadRef, answer: Answer): Answer {
    const why = answer.staleBecause;
    if (why !== null) this.#parts.events.emit('stale:served', { loader: loader.name, key, why });
    return answer;
  }

  #reportMiss(ref: ReadRef, seen: Found): void {
    const about = { loader: ref.loader.name, key: ref.key };
    if (seen !== null && 'issues' in seen) reportMismatch(this.#parts.events, ref, seen);
    this.#parts.events.emit('entry:missed', { cause: causeOf(seen), ...about });
  }
}

function causeOf(seen: Found): EventMap['entry:missed']['cause'] {
  if (seen === null) return 'absent';
  if (seen.isReadable) return 'expired';
  return 'issues' in seen ? 'mismatched' : 'unreadable';
}

async function settledAt(
  batch: Promise<PromiseSettledResult<Answer>[]>,
  at: number,
): Promise<Answer> {
  const result = (await batch)[at];
  if (result?.status === 'fulfilled') return result.value;
  throw result?.reason;
}
