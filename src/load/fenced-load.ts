import { randomBytes } from 'node:crypto';
import type { EverwarmError } from '../core/errors.ts';
import type { Events, LoadReason } from '../core/events.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import { isRefusal } from '../core/origin.ts';
import type { Spans } from '../core/spans.ts';
import type { Loaded } from '../loaders/run-loader.ts';
import { lifeMs } from '../policy/freshness.ts';
import type { Smoothed } from '../policy/load-time.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { Acquired, Unknown } from '../redis/fence.ts';
import type { Confirmable } from './confirmable.ts';
import { EmptyGuards } from './empty-guards.ts';
import type { EntryTags, Refused } from './entry-tags.ts';
import { confirmables, storeBatch, toTargets } from './load-batch.ts';
import type { LoadCounts } from './load-counts.ts';
import { LoadReports } from './load-reports.ts';
import { type LoadResult, limitedResults, unlockedResult } from './load-result.ts';
import type { Asking, LoadRun, PermitAsked } from './load-run.ts';
import { type Hold, LockKeeper } from './lock-keeper.ts';
import type { LoadRef, LockedRef } from './locked-ref.ts';
import type { Permits } from './permits.ts';
import { releaseLimited, type StoreParts } from './store-loaded.ts';
import { tracedLoads } from './traced-loads.ts';
import { withPermit } from './with-permit.ts';

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
  /** Absent: nobody asks. */
  readonly counts?: LoadCounts;
  /** Absent or null: nobody traces. */
  readonly spans?: Spans | null;
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
    this.#reports = new LoadReports(parts.events, parts.counts);
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
    const { clock, permits, spans } = this.#parts;
    // Of no lock: so that it is aborted with the others.
    const hold = this.#keeper.hold({
      token: '',
      lockKeys: [],
      onLost: () => undefined,
      whenUnconfirmed: 'keep',
    });
    try {
      const { cancellation } = hold;
      const permitted = { loader: refs[0]?.loader, asked, cancellation };
      let startedAtMs = 0;
      const answers = await withPermit(permits, permitted, () => {
        startedAtMs = clock.now();
        return tracedLoads(spans, refs, { reason: 'miss', attempt: 1, cancellation });
      });
      if (isRefusal(answers)) return limitedResults(refs, answers);
      const loadMs = clock.now() - startedAtMs;
      return answers.map((answer) => unlockedResult(answer, loadMs));
    } finally {
      hold.drop();
    }
  }

  async #run(locked: readonly LockedRef[], run: LoadRun): Promise<readonly LoadResult[]> {
    const { clock, permits, store, spans } = this.#parts;
    const { inSlot = (load) => load(), permit, ...call } = run;
    const asked = permit ?? { maxWaitMs: 0, as: run.reason };
    let startedAtMs = 0;
    let refused: ReadonlyMap<number, Refused> | null = null;
    let found: readonly (Confirmable | null)[] = [];
    const refs = locked.map(({ ref }) => ref);
    const loader = refs[0]?.loader;
    const hold = this.#hold(locked, run.reason);
    try {
      const { cancellation } = hold;
      const load = async (): Promise<readonly Loaded[]> => {
        // Before the load reads: an invalidation after what it has read must find its entry.
        if (loader?.isTagged) refused = await this.#tag(locked);
        found = await confirmables(store, locked);
        startedAtMs = clock.now();
        return tracedLoads(spans, toTargets(locked, found), { cancellation, ...call });
      };
      // In the slot: a permit that then waited for one would be used long after its time.
      const answers = await inSlot(() =>
        withPermit(permits, { loader, asked, cancellation }, load),
      );
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
