import type { Clock } from '../core/clock.ts';
import type { LoaderError } from '../core/errors.ts';
import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import { lifeMs } from '../policy/freshness.ts';
import { smooth } from '../policy/load-time.ts';
import { decodeValue, encodeValue } from '../redis/codec.ts';
import { type EntryHeader, encodeEntry } from '../redis/entry.ts';
import type { Ended, EntryPlace, EntryStore } from '../redis/entry-store.ts';

/** A key to load: its loader and key text, and where its entry is. */
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

export interface StoreParts {
  readonly store: EntryStore;
  readonly clock: Clock;
}

/** Why a value must not be stored, whatever it is: an invalidation would not find it. */
export interface Refused {
  readonly error: unknown;
}

export interface LoadTimes {
  readonly startedAtMs: number;
  readonly loadMs: number;
}

/** What a loader's answer comes to without a lock: nothing is stored. */
export function unlockedResult(answer: Loaded, loadMs: number): LoadResult {
  if ('error' in answer) return { kind: 'failed', error: answer.error, loadMs };
  return unstoredResult(answer.value, { why: 'unlocked' }, loadMs);
}

/** Stores a loader's answer, if the key's lock is still ours, or leaves its outcome. Never rejects. */
export async function storeLoaded(
  parts: StoreParts,
  locked: LockedRef,
  loaded: { readonly answer: Loaded; readonly times: LoadTimes; readonly refused?: Refused },
): Promise<LoadResult> {
  const { ref, token } = locked;
  const { answer, times, refused } = loaded;
  const { loadMs } = times;
  if ('error' in answer) {
    // Best effort: whoever waits finds the outcome, else the lock runs out.
    const ended = endOf(answer.error, parts.clock.now());
    await parts.store.release(ref, token, ended).catch(() => undefined);
    return { kind: 'failed', error: answer.error, loadMs };
  }
  try {
    if (refused && answer.value !== undefined) throw refused.error;
    if (answer.value !== undefined) return await commit(parts, locked, { ...times, ...answer });
    const ended = { outcome: { kind: 'not-found' }, atMs: parts.clock.now() } as const;
    const reply = await parts.store.commit(ref, token, ended);
    if (reply !== 'refused') return { kind: 'not-found', loadMs };
    return unstoredResult(undefined, { why: 'superseded' }, loadMs);
  } catch (error) {
    parts.store.release(ref, token, null).catch(() => undefined);
    return unstoredResult(answer.value, { why: 'failed', error }, loadMs);
  }
}

async function commit(
  { store, clock }: StoreParts,
  { ref, token, previous, logHeat, unreadLives }: LockedRef,
  { startedAtMs, loadMs, value }: LoadTimes & { readonly value: unknown },
): Promise<LoadResult> {
  const header: EntryHeader = {
    createdAtMs: Math.floor(startedAtMs),
    expiresAtMs: Math.floor(clock.now() + ref.loader.ttlMs),
    load: smooth(previous?.load ?? null, loadMs),
    logHeat,
    unreadLives,
    invalidated: false,
  };
  const payload = encodeValue(value);
  const bytes = encodeEntry(header, payload);
  // A reader of the miss gets what later readers will: not the loader's own object, but what was kept.
  const kept = Number.isNaN(logHeat) ? decodeValue(payload) : null;
  const reply = await store.commit(ref, token, { bytes, lifeMs: lifeMs(ref.loader) });
  if (reply === 'written') {
    return { kind: 'loaded', value: kept, stored: header, unstored: null, loadMs };
  }
  const why = reply === 'refused' ? 'superseded' : 'newer-format';
  return unstoredResult(value, { why }, loadMs);
}

function unstoredResult(value: unknown, unstored: Unstored, loadMs: number): LoadResult {
  return { kind: 'loaded', value, stored: null, unstored, loadMs };
}

/** An aborted load says nothing about the key: those who wait for it try it themselves. */
function endOf({ code, message }: LoaderError, atMs: number): Ended | null {
  if (code === 'LOAD_ABORTED' || code === 'CLOSED') return null;
  return { outcome: { kind: 'failed', code, message }, atMs };
}
