import { randomBytes } from 'node:crypto';
import type { Cancellation } from '../core/cancellation.ts';
import type { EverwarmError } from '../core/errors.ts';
import type { Events, LoadReason } from '../core/events.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import { isRefusal, type Refusal } from '../core/origin.ts';
import { type Loaded, runLoads } from '../loaders/run-loader.ts';
import { lifeMs } from '../policy/freshness.ts';
import type { Smoothed } from '../policy/load-time.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { Acquired, Unknown } from '../redis/fence.ts';
import type { Confirmable } from './confirmable.ts';
import { EmptyGuards } from './empty-guards.ts';
import type { EntryTags, Refused } from './entry-tags.ts';
import { confirmables, storeBatch, toTargets } from './load-batch.ts';
import { LoadReports } from './load-reports.ts';
import { type Hold, LockKeeper } from './lock-keeper.ts';
import type { Permit, Permits, PermitWait } from './permits.ts';
import {
  type LoadRef,
  type LoadResult,
  type LockedRef,
  limitedResults,
  releaseLimited,
  type StoreParts,
  unlockedResult,
} from './store-loaded.ts';

/** Outcomes of loads are kept for so long. */
const REFRESHED_ONCE_IN_MS = 1_000;

export interface FencedLoadParts extends Omit<StoreParts, 'guards'> {
  readonly events: Events;
  readonly lockTtlMs: number;
  /** Of loaders that say what their origin bears; absent: none does. */
  readonly permits?: Permits;
  /** Longest wait of a load for its commit, which then goes on by itself. @defaultValue until it is known */
  readonly commitWaitMs?: number;
  readonly tags: EntryTags;
}

/** How keys whose locks are held are loaded. */
export interface LoadRun {
  readonly reason: LoadReason;
  readonly attempt: number;
  /** How its permit is asked for. Absent: for its reason, without a wait. */
  readonly permit?: PermitAsked;
  /** Runs the loader call when there is a free slot for it; locking and committing need none. */
  readonly inSlot?: <T>(load: () => Promise<T>) => Promise<T>;
}

/** How a load asks for the permit of its origin. */
export interface PermitAsked {
  /** Longest wait for it; no part of the load's time. */
  readonly maxWaitMs: number;
  /** Whose turn it takes: that of a refresh where a reader has a stale value to answer with. */
  readonly as: LoadReason;
}

/** Who asks for a lock, and what it knows. */
export interface Asking {
  readonly token: string;
  /** createdAt of the entry the caller has seen and won't take, or 0. */
  readonly seenCreatedAtMs: number;
  /** Since when the caller waits: it takes the outcome of a load that ended after that. */
  readonly waitingSinceMs: number;
  /** It goes on waiting if the lock is held, and wants to be woken. */
  readonly waits?: boolean;
  /** Longest wait for the answer, if shorter than usual. */
  readonly withinMs?: number;
}

/**
 * One load of a key: lock → loader → commit. The commit is refused unless the lock is still held, so
 * nothing that started before an invalidate, a set or a lost lock is ever written.
 */
export class FencedLoad {
  readonly #parts: FencedLoadParts & StoreParts;
  readonly #keeper: LockKeeper;
  readonly #reports: LoadReports;
  readonly #running = new Set<Promise<unknown>>();
  // Randomness costs 4 µs a call: once a process, and a count.
  readonly #tokenPrefix = `${randomBytes(12).toString('base64url')}.`;
  #tokens = 0;

  constructor(parts: FencedLoadParts) {
    this.#parts = { ...parts, guards: new EmptyGuards() };
    this.#keeper = new LockKeeper(parts.store, parts.lockTtlMs);
    this.#reports = new LoadReports(parts.events);
  }

  newToken(): string {
    return `${this.#tokenPrefix}${(this.#tokens++).toString(36)}`;
  }

  /** Asks for the key's lock. Rejects when Redis does. */
  acquire(ref: LoadRef, asking: Asking): Promise<Acquired> {
    const { lockTtlMs, store } = this.#parts;
    return store.acquire(ref, { lockTtlMs, ...asking });
  }

  /** As `acquire` for each key, with the createdAt that was seen of it. Never rejects. */
  acquireAll(
    refs: readonly LoadRef[],
    asking: Omit<Asking, 'seenCreatedAtMs'>,
    seenCreatedAtMs: readonly number[],
  ): Promise<readonly (Acquired | Unknown)[]> {
    const { lockTtlMs, store } = this.#parts;
    return store.acquireAll(refs, { lockTtlMs, ...asking }, seenCreatedAtMs);
  }

  /** Loads keys of one loader whose locks are held under one token, by `loadMany` if there are several. */
  run(locked: readonly LockedRef[], call: LoadRun): Promise<readonly LoadResult[]> {
    return this.#tracked(this.#run(locked, call));
  }

  /** Loads a key anew in the background, unless somebody is on it or has done it. */
  async refresh(ref: LoadRef, seen: EntryHeader): Promise<LoadResult | null> {
    const token = this.newToken();
    // A load of it that failed just now, in whatever process, is an answer: the fleet tries once a second.
    const waitingSinceMs = this.#parts.clock.now() - REFRESHED_ONCE_IN_MS;
    const asking = { token, seenCreatedAtMs: seen.createdAtMs, waitingSinceMs };
    const reply = await this.acquire(ref, asking);
    if (reply.kind !== 'acquired') return null;
    const { previous, etag } = reply;
    const locked = { ref, token, previous, etag, logHeat: Number.NaN, unreadLives: 0 };
    const [result] = await this.run([locked], { reason: 'refresh', attempt: 1 });
    return result ?? null;
  }

  /** Loads without locks, where Redis is away or a holder takes too long: never stored. */
  async runUnlocked(refs: readonly LoadRef[], permit: PermitAsked): Promise<readonly LoadResult[]> {
    const results = await this.#tracked(this.#runUnlocked(refs, permit));
    this.#reports.report(refs, results, 'miss');
    return results;
  }

  /** Smoothed load time of a loader as seen by this process. */
  loadTime(loader: string): Smoothed | null {
    return this.#reports.loadTime(loader);
  }

  /** Aborts every load under way and to come. */
  abortAll(reason: EverwarmError): void {
    this.#keeper.abortAll(reason);
    this.#parts.permits?.abortAll(reason);
  }

  /** Resolves once no load is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async #runUnlocked(refs: readonly LoadRef[], asked: PermitAsked): Promise<readonly LoadResult[]> {
    const { clock } = this.#parts;
    // Of no lock: so that it is aborted with the others.
    const hold = this.#keeper.hold({
      token: '',
      lockKeys: [],
      onLost: () => undefined,
      whenUnconfirmed: 'keep',
    });
    try {
      const { cancellation } = hold;
      const permit = await this.#permit(refs, waitFor(asked, cancellation));
      if (isRefusal(permit)) return limitedResults(refs, permit);
      const startedAtMs = clock.now();
      const answers = await runLoads(refs, { reason: 'miss', attempt: 1, cancellation });
      permit?.end(answers);
      const loadMs = clock.now() - startedAtMs;
      return answers.map((answer) => unlockedResult(answer, loadMs));
    } finally {
      hold.drop();
    }
  }

  /** Null: the loader needs none. */
  #permit(refs: readonly LoadRef[], wait: PermitWait): Promise<Permit | Refusal> | null {
    const { permits } = this.#parts;
    const loader = refs[0]?.loader;
    return permits && loader?.origin ? permits.take(loader, wait) : null;
  }

  async #run(locked: readonly LockedRef[], run: LoadRun): Promise<readonly LoadResult[]> {
    const { clock } = this.#parts;
    const { inSlot = (load) => load(), permit: asked, ...call } = run;
    let startedAtMs = 0;
    let refused: ReadonlyMap<number, Refused> | null = null;
    let found: readonly (Confirmable | null)[] = [];
    const refs = locked.map(({ ref }) => ref);
    const hold = this.#hold(locked, run.reason);
    try {
      const { cancellation } = hold;
      // In the slot: a permit that then waited for one would be used long after its time.
      const answers = await inSlot(async () => {
        const wait = waitFor(asked ?? { maxWaitMs: 0, as: run.reason }, cancellation);
        const permit = await this.#permit(refs, wait);
        if (isRefusal(permit)) return permit;
        let loaded: readonly Loaded[] = [];
        try {
          // Before the load reads: an invalidation after what it has read must find its entry.
          if (refs[0]?.loader.isTagged) refused = await this.#tag(locked);
          found = await confirmables(this.#parts.store, locked);
          startedAtMs = clock.now();
          loaded = await runLoads(toTargets(locked, found), { cancellation, ...call });
          return loaded;
        } finally {
          permit?.end(loaded);
        }
      });
      let settled = 0;
      const onSettled = (): void => void settled++;
      hold.drop(); // A renewal sent after the commit would find the lock gone, and report it lost.
      const storing = this.#tracked(
        isRefusal(answers)
          ? releaseLimited(this.#parts, locked, answers)
          : storeBatch(this.#parts, locked, {
              answers,
              startedAtMs,
              refused,
              found,
              hold,
              onSettled,
            }),
      ).then((results) => {
        this.#reports.report(refs, results, run.reason);
        return results;
      });
      const isStored =
        run.reason === 'warm' || (await this.#isStoredInTime(storing, () => settled));
      if (isStored) return await storing;
      if (isRefusal(answers)) return limitedResults(refs, answers);
      const loadMs = clock.now() - startedAtMs;
      return answers.map((answer, at) => unlockedResult(answer, loadMs, found[at]));
    } finally {
      hold.drop();
    }
  }

  /** Keys that are locked together live alike. */
  #tag(locked: readonly LockedRef[]): Promise<ReadonlyMap<number, Refused>> {
    const { clock, tags } = this.#parts;
    const [first] = locked;
    const refs = locked.map(({ ref }) => ref);
    if (!first?.liveUntilMs) return tags.add(refs);
    const { loader } = first.ref;
    const leftMs = first.liveUntilMs - clock.now() + loader.keptStaleMs;
    return tags.add(refs, loader.loadTimeoutMs + Math.max(lifeMs(loader), leftMs));
  }

  /** A load that somebody waits for goes on while Redis is away: its result is answered, if not stored. */
  #hold(locked: readonly LockedRef[], reason: LoadReason): Hold {
    const refs = locked.map(({ ref }) => ref);
    return this.#keeper.hold({
      token: locked[0]?.token ?? '',
      lockKeys: refs.map((ref) => ref.lockKey),
      onLost: (lockKey) => {
        const ref = refs.find((one) => one.lockKey === lockKey);
        if (ref) this.#parts.events.emit('lock:lost', { loader: ref.loader.name, key: ref.key });
      },
      whenUnconfirmed: reason === 'miss' ? 'keep' : 'lose',
    });
  }

  // Whoever waits has the value: a Redis that is away may not keep it from them; one that has stored
  // a part of many meanwhile is not away.
  async #isStoredInTime(storing: Promise<unknown>, settled: () => number): Promise<boolean> {
    const { commitWaitMs } = this.#parts;
    if (commitWaitMs === undefined) return true;
    for (;;) {
      const before = settled();
      if (await settlesWithin(storing, commitWaitMs)) return true;
      if (settled() === before) return false;
    }
  }

  #tracked<T>(running: Promise<T>): Promise<T> {
    const tracked = running.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }
}

function waitFor({ maxWaitMs, as }: PermitAsked, cancellation: Cancellation): PermitWait {
  return { maxWaitMs, reason: as, cancellation };
}
