import type { Waiting, Wakes } from '../bus/wakes.ts';
import type { Clock } from '../core/clock.ts';
import type { Events, StaleReason } from '../core/events.ts';
import type { FencedLoad } from '../load/fenced-load.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { PermitAsked } from '../load/load-run.ts';
import type { LockedRef } from '../load/locked-ref.ts';
import { SHORT_PERMIT_WAIT_MS } from '../load/permits.ts';
import { readable, reportMismatch } from '../load/readable.ts';
import { isFresh, usability } from '../policy/freshness.ts';
import { type Smoothed, upperBound } from '../policy/load-time.ts';
import type { Acquired } from '../redis/fence.ts';
import { type Answer, loaded, stale, uncached } from './answer.ts';
import { asResult, type Flight, isHomeless, isOutdated, type Miss, toLocked } from './flight.ts';

/*
 * A flight for a missing key:  ask for the lock → acquired → load, commit, answer
 *                                 ↑    ├→ entry, outcome  → answer
 *                                 └────┴→ held            → wait to be woken, or a little; after lockWait load without it
 * A load whose lock was taken away (invalidate, set) starts over: its value is already out of date.
 */

const FIRST_POLL_MS = 2;
const POLL_GROWTH = 1.5;
const MAX_POLL_MS = 100;
/** Most of readTimeout is left for the answer to a poll. */
const POLL_SHARE = 1 / 4;
const MIN_LOCK_WAIT_MS = 1_000;
const MAX_RESTARTS = 3;

export interface MissLoaderParts {
  readonly fenced: FencedLoad;
  readonly clock: Clock;
  readonly wakes: Wakes;
  readonly events: Events;
  readonly random: () => number;
  readonly readTimeoutMs: number;
}

type WaitingFlight = Flight & { readonly waiting: Waiting };

/** Loads a missing key once in the fleet: whoever holds its lock loads, the others wait for the result. */
export class MissLoader {
  readonly #parts: MissLoaderParts;

  constructor(parts: MissLoaderParts) {
    this.#parts = parts;
  }

  /**
   * @param onHomeless - the value could not be stored because Redis is away
   * @throws LoaderError when the loader fails and nothing stale may be served instead
   */
  async load(miss: Miss, onHomeless?: () => void): Promise<Answer> {
    const waiting = this.#parts.wakes.listen(miss.ref.entryKey);
    const flight = { ...this.#begin(miss), waiting };
    try {
      for (;;) {
        waiting.reset();
        const reply = await this.#ask(flight);
        if (reply === null) onHomeless?.();
        const answer =
          reply?.kind === 'acquired'
            ? await this.#runLocked(flight, reply, onHomeless)
            : await this.#follow(flight, reply);
        if (answer) return answer;
      }
    } finally {
      waiting.close();
    }
  }

  /** Loads without asking Redis, many keys of one loader by its `loadMany`. */
  async loadUnlocked(misses: readonly Miss[]): Promise<PromiseSettledResult<Answer>[]> {
    const permit = this.#permitFor(misses);
    const results = await this.#parts.fenced.runUnlocked(
      misses.map(({ ref }) => ref),
      permit,
    );
    return Promise.allSettled(
      misses.map(async (miss, at) => this.#answer(results[at] as LoadResult, miss)),
    );
  }

  /** Loads many keys whose locks are free by one `loadMany`; the rest, and what was fenced off, one by one. */
  async loadMany(misses: readonly Miss[]): Promise<PromiseSettledResult<Answer>[]> {
    const token = this.#parts.fenced.newToken();
    const flights = misses.map((miss) => ({ ...this.#begin(miss), token }));
    const replies = await Promise.all(flights.map((flight) => this.#ask(flight)));
    if (replies.every((reply) => reply === null)) return this.loadUnlocked(misses);
    const locked: LockedRef[] = [];
    const places = flights.map((flight, at) => {
      const reply = replies[at];
      return reply?.kind === 'acquired' ? locked.push(toLocked(flight, reply)) - 1 : null;
    });
    const running = this.#runLockedMany(locked, this.#permitFor(misses));
    return Promise.allSettled(
      misses.map(async (miss, at) => {
        const place = places[at] ?? null;
        const result = place === null ? null : (await running)[place];
        return !result || isOutdated(result) ? this.load(miss) : this.#answer(result, miss);
      }),
    );
  }

  #begin(miss: Miss): Flight {
    const { ref, seen } = miss;
    const waitingSinceMs = this.#parts.clock.now();
    const known = this.#loadTime(miss);
    // A holder that lives renews its lock: without a load time to judge by, it may take all its time.
    const patienceMs = known
      ? Math.max(MIN_LOCK_WAIT_MS, 3 * upperBound(known))
      : Number.POSITIVE_INFINITY;
    const holderWaitMs = ref.loader.origin ? this.#permitFor([miss]).maxWaitMs : 0;
    return {
      ...miss,
      token: this.#parts.fenced.newToken(),
      waitingSinceMs,
      // The holder may wait for a permit first: to load without the lock would take another one.
      giveUpAtMs: waitingSinceMs + holderWaitMs + Math.min(patienceMs, ref.loader.loadTimeoutMs),
      seenCreatedAtMs: seen?.header?.createdAtMs ?? 0,
      polls: 0,
      unheardMs: 0,
      restarts: 0,
    };
  }

  /** Null: unknown, as of a value that was set. */
  #loadTime({ ref, seen }: Miss): Smoothed | null {
    const load = this.#parts.fenced.loadTime(ref.loader.name) ?? seen?.header?.load;
    return load && load.meanMs > 0 ? load : null;
  }

  /** Null: Redis is away. */
  async #ask(flight: Flight): Promise<Acquired | null> {
    const { ref, token, seenCreatedAtMs, waitingSinceMs, unheardMs } = flight;
    // Who waits for another's load learns from its polls alone that Redis has gone: their pauses count.
    const withinMs = this.#parts.readTimeoutMs - unheardMs;
    flight.unheardMs = 0;
    try {
      const asking = { token, seenCreatedAtMs, waitingSinceMs, waits: true };
      if (unheardMs > 0) return await this.#parts.fenced.acquire(ref, { withinMs, ...asking });
      return await this.#parts.fenced.acquire(ref, asking);
    } catch {
      return null; // The connection has reported it.
    }
  }

  /** Null: ask again. */
  async #follow(
    flight: WaitingFlight,
    reply: Exclude<Acquired, { kind: 'acquired' }> | null,
  ): Promise<Answer | null> {
    if (reply === null) return this.#loadOneUnlocked(flight);
    if (reply.kind === 'entry') return this.#accept(flight, reply.bytes);
    if (reply.kind === 'outcome') return this.#answer(asResult(reply.outcome), flight);
    if (this.#parts.clock.now() >= flight.giveUpAtMs) return this.#giveUp(flight);
    const mostMs = Math.min(MAX_POLL_MS, POLL_SHARE * this.#parts.readTimeoutMs);
    const longestMs = Math.min(mostMs, FIRST_POLL_MS * POLL_GROWTH ** flight.polls++);
    const pauseMs = longestMs * (0.5 + 0.5 * this.#parts.random());
    const pausedAtMs = performance.now();
    await flight.waiting.wait(pauseMs);
    // Less than the pause where it was woken; not more where the process was held up.
    flight.unheardMs = Math.min(pauseMs, performance.now() - pausedAtMs);
    return null;
  }

  async #runLocked(
    flight: Flight,
    reply: Extract<Acquired, { kind: 'acquired' }>,
    onHomeless?: () => void,
  ): Promise<Answer | null> {
    const permit = this.#permitFor([flight]);
    const call = { reason: 'miss', attempt: 1, permit } as const;
    const [result] = await this.#parts.fenced.run([toLocked(flight, reply)], call);
    if (!result) return null;
    if (isOutdated(result)) {
      if (flight.restarts++ < MAX_RESTARTS) return null;
      if (result.kind === 'failed') return this.#loadOneUnlocked(flight);
    }
    if (isHomeless(result, flight.ref)) onHomeless?.();
    return this.#answer(result, flight);
  }

  async #runLockedMany(
    locked: readonly LockedRef[],
    permit: PermitAsked,
  ): Promise<readonly LoadResult[]> {
    if (locked.length === 0) return [];
    return this.#parts.fenced.run(locked, { reason: 'miss', attempt: 1, permit });
  }

  async #loadOneUnlocked(miss: Miss): Promise<Answer> {
    const [result] = await this.#parts.fenced.runUnlocked([miss.ref], this.#permitFor([miss]));
    return this.#answer(result as LoadResult, miss);
  }

  async #accept(flight: Flight, bytes: Buffer): Promise<Answer | null> {
    const stored = await readable(flight.ref.loader, bytes);
    if (stored?.isReadable && isFresh(stored.header, this.#parts.clock.now())) {
      return loaded(stored.value, stored.header);
    }
    if (stored !== null && 'issues' in stored) {
      reportMismatch(this.#parts.events, flight.ref, stored);
    }
    // This one is the better stand-in for a load that fails.
    if (stored?.isReadable) flight.seen = stored;
    flight.seenCreatedAtMs = stored?.header?.createdAtMs ?? 0;
    return null;
  }

  async #giveUp(flight: Flight): Promise<Answer> {
    return this.stale(flight, 'lock-held') ?? this.#loadOneUnlocked(flight);
  }

  #answer(result: LoadResult, miss: Miss): Answer {
    if (result.kind === 'not-found') return uncached(undefined);
    if (result.kind === 'loaded') {
      if (!result.stored) return uncached(result.value);
      return loaded(result.value, result.stored);
    }
    const answer = this.stale(miss, 'load-failed');
    if (answer) return answer;
    throw result.error;
  }

  /** Who may answer with a stale value need not wait long for a permit, nor before those who have none. */
  #permitFor(misses: readonly Miss[]): PermitAsked {
    const loadTimeoutMs = misses[0]?.ref.loader.loadTimeoutMs ?? 0;
    const isServed = misses.every((miss) => this.stale(miss, 'load-failed') !== null);
    if (!isServed) return { maxWaitMs: loadTimeoutMs, as: 'miss' };
    return { maxWaitMs: Math.min(SHORT_PERMIT_WAIT_MS, loadTimeoutMs), as: 'refresh' };
  }

  /** The value that was found, while it may still stand in for one that cannot be loaded. */
  stale({ ref, seen }: Miss, why: StaleReason): Answer | null {
    if (!seen?.isReadable) return null;
    const { header, value } = seen;
    const use = usability(header, ref.loader, this.#parts.clock.now());
    return use === 'none' ? null : stale(value, why, header);
  }
}
