import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { EverwarmError, LoaderError } from '../core/errors.ts';
import type { Events, LoadReason } from '../core/events.ts';
import { type Loaded, type LoadTarget, runLoad, runLoadMany } from '../loaders/run-loader.ts';
import { type Smoothed, smooth } from '../policy/load-time.ts';
import { encodeValue } from '../redis/codec.ts';
import { type EntryHeader, encodeEntry } from '../redis/entry.ts';
import type { Acquired, EntryPlace, EntryStore, Outcome } from '../redis/entry-store.ts';
import { LockKeeper } from './lock-keeper.ts';

/** A key to load: its loader and params, and where its entry is. */
export type LoadRef = LoadTarget & EntryPlace;

/** A key whose lock is ours, and what its new entry's header takes over. */
export interface LockedRef {
  readonly ref: LoadRef;
  readonly token: string;
  /** The header found when the lock was taken. */
  readonly previous: EntryHeader | null;
  /** Log-heat when the refresh was planned; NaN for a reader's load. */
  readonly logHeat: number;
  readonly unreadLives: number;
}

export type LoadResult =
  | {
      readonly kind: 'loaded';
      readonly value: unknown;
      /** The stored entry, or null and why there is none. */
      readonly stored: EntryHeader | null;
      readonly unstored: Unstored | null;
      readonly loadMs: number;
    }
  | { readonly kind: 'not-found'; readonly loadMs: number }
  | { readonly kind: 'failed'; readonly error: LoaderError; readonly loadMs: number };

/** Why a loaded value was not stored: fenced off by an invalidate, a set or a lost lock, and so on. */
export type Unstored =
  | { readonly why: 'superseded' | 'newer-format' | 'unlocked' }
  | { readonly why: 'failed'; readonly error: unknown };

export interface FencedLoadParts {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly events: Events;
  readonly lockTtlMs: number;
}

/**
 * One load of a key: lock → loader → commit. The commit is refused unless the lock is still held, so
 * nothing that started before an invalidate, a set or a lost lock is ever written.
 */
export class FencedLoad {
  readonly #parts: FencedLoadParts;
  readonly #keeper: LockKeeper;
  readonly #loadTimes = new Map<string, Smoothed>();

  constructor(parts: FencedLoadParts) {
    this.#parts = parts;
    this.#keeper = new LockKeeper(parts.store, parts.lockTtlMs);
  }

  newToken(): string {
    return randomBytes(12).toString('base64url');
  }

  /** Asks for the key's lock. Rejects when Redis does. */
  acquire(
    ref: LoadRef,
    request: { token: string; seenCreatedAtMs: number; isWaiter: boolean },
  ): Promise<Acquired> {
    const { lockTtlMs, store } = this.#parts;
    return store.acquire(ref, { ...request, lockTtlMs });
  }

  /** Loads keys of one loader whose locks are held under one token, by `loadMany` if there are several. */
  async run(
    locked: readonly LockedRef[],
    call: { readonly reason: LoadReason; readonly attempt: number },
  ): Promise<readonly LoadResult[]> {
    const startedAtMs = this.#parts.clock.now();
    const refs = locked.map((one) => one.ref);
    const hold = this.#keeper.hold({
      token: locked[0]?.token ?? '',
      lockKeys: refs.map((ref) => ref.lockKey),
      onLost: (lockKey) => {
        const ref = refs.find((one) => one.lockKey === lockKey);
        if (ref) this.#parts.events.emit('lock:lost', { loader: ref.loader.name, key: ref.key });
      },
    });
    try {
      const [only] = refs;
      const context = { ...call, signal: hold.signal };
      const answers =
        only && refs.length === 1
          ? [await runLoad(only, context)]
          : await runLoadMany(refs, context);
      hold.drop(); // A renewal sent after the commit would find the lock gone, and report it lost.
      const times = { startedAtMs, loadMs: this.#parts.clock.now() - startedAtMs };
      const results = await Promise.all(
        locked.map((one, at) => this.#finish(one, answers[at] as Loaded, times)),
      );
      this.#report(locked, results, call.reason);
      return results;
    } finally {
      hold.drop();
    }
  }

  /** Loads a key anew in the background, unless somebody is on it or has done it. */
  async refresh(ref: LoadRef, seen: EntryHeader): Promise<void> {
    const token = this.newToken();
    const request = { token, seenCreatedAtMs: seen.createdAtMs, isWaiter: false };
    const reply = await this.acquire(ref, request);
    if (reply.kind !== 'acquired') return;
    const { previous } = reply;
    const locked = { ref, token, previous, logHeat: Number.NaN, unreadLives: 0 };
    await this.run([locked], { reason: 'refresh', attempt: 1 });
  }

  /** Loads without the lock, where Redis is away or its holder takes too long: never stored. */
  async runUnlocked(ref: LoadRef, reason: LoadReason): Promise<LoadResult> {
    const startedAtMs = this.#parts.clock.now();
    const answer = await runLoad(ref, { reason, attempt: 1 });
    const loadMs = this.#parts.clock.now() - startedAtMs;
    const result: LoadResult =
      'error' in answer
        ? { kind: 'failed', error: answer.error, loadMs }
        : {
            kind: 'loaded',
            value: answer.value,
            stored: null,
            unstored: { why: 'unlocked' },
            loadMs,
          };
    this.#report([{ ref }], [result], reason);
    return result;
  }

  /** Smoothed load time of a loader as seen by this process. */
  loadTime(loader: string): Smoothed | null {
    return this.#loadTimes.get(loader) ?? null;
  }

  /** Aborts every load under way. */
  abortAll(reason: EverwarmError): void {
    this.#keeper.abortAll(reason);
  }

  async #finish(locked: LockedRef, answer: Loaded, times: LoadTimes): Promise<LoadResult> {
    const { store } = this.#parts;
    const { ref, token } = locked;
    const { loadMs } = times;
    try {
      if ('error' in answer) {
        // Best effort: whoever waits finds the outcome, else the lock runs out. An aborted load says
        // nothing about the key: they try it themselves.
        const isAborted = answer.error.code === 'LOAD_ABORTED';
        const outcome = isAborted ? null : asOutcome(answer.error);
        await store.release(ref, token, outcome).catch(() => undefined);
        return { kind: 'failed', error: answer.error, loadMs };
      }
      if (answer.value === undefined) {
        const reply = await store.commit(ref, token, null);
        if (reply === 'written') return { kind: 'not-found', loadMs };
        const unstored = { why: 'superseded' } as const;
        return { kind: 'loaded', value: undefined, stored: null, unstored, loadMs };
      }
      return await this.#commit(locked, answer.value, times);
    } catch (error) {
      store.release(ref, token, null).catch(() => undefined);
      const value = 'value' in answer ? answer.value : undefined;
      const unstored = { why: 'failed', error } as const;
      return { kind: 'loaded', value, stored: null, unstored, loadMs };
    }
  }

  async #commit(locked: LockedRef, value: unknown, times: LoadTimes): Promise<LoadResult> {
    const { ref, token, previous } = locked;
    const { loader } = ref;
    const header: EntryHeader = {
      createdAtMs: Math.floor(times.startedAtMs),
      expiresAtMs: Math.floor(this.#parts.clock.now() + loader.ttlMs),
      load: smooth(previous?.load ?? null, times.loadMs),
      logHeat: locked.logHeat,
      unreadLives: locked.unreadLives,
      invalidated: false,
    };
    const bytes = encodeEntry(header, encodeValue(value));
    const lifeMs = loader.ttlMs + loader.staleIfErrorMs;
    const reply = await this.#parts.store.commit(ref, token, { bytes, lifeMs });
    const { loadMs } = times;
    if (reply === 'written') {
      return { kind: 'loaded', value, stored: header, unstored: null, loadMs };
    }
    const why = reply === 'refused' ? 'superseded' : 'newer-format';
    return { kind: 'loaded', value, stored: null, unstored: { why }, loadMs };
  }

  #report(
    loads: readonly { readonly ref: LoadRef }[],
    results: readonly LoadResult[],
    reason: LoadReason,
  ): void {
    for (const [at, { ref }] of loads.entries()) {
      const result = results[at];
      if (!result) continue;
      const { loadMs } = result;
      const about = { loader: ref.loader.name, key: ref.key, reason, loadMs };
      if (result.kind === 'failed') {
        this.#parts.events.emit('load:failed', { ...about, error: result.error });
        continue;
      }
      this.#loadTimes.set(about.loader, smooth(this.loadTime(about.loader), loadMs));
      const stored = result.kind === 'loaded' && result.stored !== null;
      if (result.kind === 'loaded' && result.unstored?.why === 'failed') {
        const { loader, key } = about;
        this.#parts.events.emit('store:failed', { loader, key, error: result.unstored.error });
      }
      this.#parts.events.emit('load:completed', { ...about, stored });
    }
  }
}

function asOutcome(error: LoaderError): Outcome {
  return { kind: 'failed', message: error.message };
}

interface LoadTimes {
  readonly startedAtMs: number;
  readonly loadMs: number;
}
