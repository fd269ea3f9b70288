import type { Clock } from '../core/clock.ts';
import { EverwarmError, LoaderError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import { ttlOfValue } from '../loaders/times.ts';
import { smooth } from '../policy/load-time.ts';
import { type EntryHeader, encodeEntry } from '../redis/entry.ts';
import type { Ended, EntryPlace, EntryStore } from '../redis/entry-store.ts';
import { encodeStored, readStored } from '../redis/stored-value.ts';
import type { Confirmable } from './confirmable.ts';
import type { EmptyGuards } from './empty-guards.ts';
import type { EntryTags, Refused } from './entry-tags.ts';

/** A key to load: its loader and key text, and where its entry is. */
export type LoadRef = LoadTarget & EntryPlace;

/** A key whose lock is ours, and what its new entry's header takes over. */
export interface LockedRef {
  readonly ref: LoadRef;
  readonly token: string;
  /** The header found when the lock was taken. */
  readonly previous: EntryHeader | null;
  /** ETag of the entry in place, unverified. */
  readonly etag: string | null;
  /** Log-heat when the refresh was planned; NaN for a reader's load. */
  readonly logHeat: number;
  readonly unreadLives: number;
  /** A value lives at least until then, epoch ms; absent: for its ttl. */
  readonly liveUntilMs?: number | null;
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
  | { readonly kind: 'failed'; readonly error: LoaderError; readonly loadMs: number }
  /** Not tried: the loader's limit had no permit in time. */
  | {
      readonly kind: 'limited';
      readonly error: LoaderError;
      readonly retryAfterMs: number;
      readonly loadMs: 0;
    };

/** Why a loaded value was not stored: fenced off by an invalidate, a set or a lost lock, and so on. */
export type Unstored =
  | { readonly why: 'superseded' | 'newer-format' | 'unlocked' }
  | { readonly why: 'failed'; readonly error: unknown };

export interface StoreParts {
  readonly store: EntryStore;
  readonly clock: Clock;
  readonly guards: EmptyGuards;
  readonly tags: EntryTags;
}

/** What the loader said of a key, and what came with it. */
export interface LoadedKey {
  readonly answer: Loaded;
  readonly times: LoadTimes;
  /** The entry whose ETag the loader was told, read under the lock. */
  readonly confirmable: Confirmable | null;
  readonly refused: Refused | null;
}

export interface LoadTimes {
  readonly startedAtMs: number;
  readonly loadMs: number;
}

/** What a loader's answer comes to without a lock: nothing is stored. */
export function unlockedResult(
  answer: Loaded,
  loadMs: number,
  kept: Confirmable | null = null,
): LoadResult {
  if ('error' in answer) return { kind: 'failed', error: answer.error, loadMs };
  return unstoredResult(valueMeant(answer, kept), { why: 'unlocked' }, loadMs);
}

/** The value it stands for: its own, or the one that it says is still right. */
function valueMeant(
  answer: Exclude<Loaded, { error: unknown }>,
  kept: Confirmable | null,
): unknown {
  return 'value' in answer ? answer.value : kept?.value;
}

/**
 * What a commit under a lock of unknown fate comes to: that it was refused need not mean that somebody
 * has changed the entry meanwhile, so there is no reason to load it again.
 */
export function withoutVerdict(result: LoadResult): LoadResult {
  if (result.kind !== 'loaded' || result.unstored?.why !== 'superseded') return result;
  return unstoredResult(result.value, { why: 'unlocked' }, result.loadMs);
}

/** The result of keys whose loader call got no permit, their locks given back: others may try. */
export async function releaseLimited(
  { store }: StoreParts,
  locked: readonly LockedRef[],
  retryAfterMs: number,
): Promise<readonly LoadResult[]> {
  // Best effort: else the locks run out.
  const releases = locked.map(({ ref, token }) => store.release(ref, token, null));
  await Promise.allSettled(releases);
  return limitedResults(
    locked.map(({ ref }) => ref),
    retryAfterMs,
  );
}

export function limitedResults(
  refs: readonly LoadRef[],
  retryAfterMs: number,
): readonly LoadResult[] {
  return refs.map(({ loader, key }) => {
    const limit = `${loader.limit?.max} calls per ${loader.limit?.perMs} ms`;
    const message = `loader "${loader.name}" was not called for key ${key}: its limit is ${limit}, retry after ${Math.ceil(retryAfterMs)} ms`;
    const error = new LoaderError('RATE_LIMITED', message);
    return { kind: 'limited', error, retryAfterMs, loadMs: 0 };
  });
}

/** Stores a loader's answer, if the key's lock is still ours, or leaves its outcome. Never rejects. */
export async function storeLoaded(
  parts: StoreParts,
  locked: LockedRef,
  loaded: LoadedKey,
): Promise<LoadResult> {
  const { ref, token } = locked;
  const { times, refused, confirmable } = loaded;
  const { loadMs } = times;
  const answer = parts.guards.judge(locked, loaded.answer);
  if ('error' in answer) {
    // Best effort: whoever waits finds the outcome, else the lock runs out.
    const ended = endOf(answer.error, parts.clock.now());
    await parts.store.release(ref, token, ended).catch(() => undefined);
    return { kind: 'failed', error: answer.error, loadMs };
  }
  try {
    if (refused && isStored(answer, ref.loader)) throw refused.error;
    if ('isNotModified' in answer) return await prolong(parts, locked, { times, confirmable });
    if (answer.value !== undefined || ref.loader.notFoundTtlMs !== null) {
      const { startedAtMs } = times;
      const { value, etag } = answer;
      // Spelled out, here and below: V8 takes microseconds for a literal that begins with a spread.
      return await commitValue(parts, locked, { startedAtMs, loadMs, value, etag });
    }
    const ended = { outcome: { kind: 'not-found' }, atMs: parts.clock.now() } as const;
    const reply = await parts.store.commit(ref, token, ended);
    if (reply !== 'refused') return { kind: 'not-found', loadMs };
    return unstoredResult(undefined, { why: 'superseded' }, loadMs);
  } catch (error) {
    parts.store.release(ref, token, null).catch(() => undefined);
    return unstoredResult(valueMeant(answer, confirmable), { why: 'failed', error }, loadMs);
  }
}

/** All but "nothing there" without a ttl for that. */
function isStored(answer: Loaded, loader: AnyLoader): boolean {
  return !('value' in answer) || answer.value !== undefined || loader.notFoundTtlMs !== null;
}

type Answered = LoadTimes & { readonly value: unknown; readonly etag: string | null };

async function commitValue(
  parts: StoreParts,
  locked: LockedRef,
  answered: Answered,
): Promise<LoadResult> {
  const { value, etag, startedAtMs, loadMs } = answered;
  const { loader, key } = locked.ref;
  const ttlMs = ttlOf(parts, locked, value);
  const header = headerOf(parts, locked, { startedAtMs, loadMs, value, ttlMs });
  const bytes = encodeStored(header, value, { format: loader.format, etag });
  // A reader of the miss gets what later readers will: not the loader's own object, but what was kept.
  const isRead = Number.isNaN(locked.logHeat);
  const kept = isRead ? readStored(bytes, loader.format) : null;
  if (kept?.isReadable === false)
    throw new EverwarmError('CODEC_FAILED', `key ${key}: its codec cannot read back what it wrote`);
  return commit(parts, locked, { bytes, header, ttlMs, loadMs, value: kept ? kept.value : value });
}

/**
 * The loader says that the stored value still holds: it gets a new life, as it stands. Also when the
 * entry was evicted meanwhile: the lock is still ours, so nothing newer has happened to it.
 */
async function prolong(
  parts: StoreParts,
  locked: LockedRef,
  { times, confirmable }: Pick<LoadedKey, 'times' | 'confirmable'>,
): Promise<LoadResult> {
  const { ref } = locked;
  if (confirmable === null) throw new Error(`key ${ref.key}: nothing was found to keep`);
  const { entry, value } = confirmable;
  const ttlMs = ttlOf(parts, locked, value);
  const header = headerOf(parts, locked, { ...times, ttlMs, value });
  const bytes = encodeEntry(header, entry.payload, entry.extension);
  return commit(parts, locked, { bytes, header, ttlMs, value, loadMs: times.loadMs });
}

async function commit(
  { store, tags }: StoreParts,
  { ref, token, liveUntilMs }: LockedRef,
  made: {
    readonly bytes: Buffer;
    readonly header: EntryHeader;
    readonly ttlMs: number;
    readonly value: unknown;
    readonly loadMs: number;
  },
): Promise<LoadResult> {
  const { bytes, header, ttlMs, value, loadMs } = made;
  const lifeMs = ttlMs + ref.loader.keptStaleMs;
  const toldMs = Math.max(ref.loader.ttlMs, (liveUntilMs ?? 0) - header.createdAtMs);
  if (ref.loader.isTagged && ttlMs > toldMs) {
    // It lives longer than its tags were told before the load.
    const refused = (await tags.add([ref], lifeMs)).get(0);
    if (refused) throw refused.error;
  }
  const reply = await store.commit(ref, token, { bytes, lifeMs });
  if (reply === 'written') return { kind: 'loaded', value, stored: header, unstored: null, loadMs };
  const why = reply === 'refused' ? 'superseded' : 'newer-format';
  return unstoredResult(value, { why }, loadMs);
}

function headerOf(
  { clock }: StoreParts,
  { previous, logHeat, unreadLives }: LockedRef,
  life: LoadTimes & { readonly ttlMs: number; readonly value: unknown },
): EntryHeader {
  return {
    createdAtMs: Math.floor(life.startedAtMs),
    expiresAtMs: Math.floor(clock.now() + life.ttlMs),
    load: smooth(previous?.load ?? null, life.loadMs),
    logHeat,
    unreadLives,
    invalidated: false,
    notFound: life.value === undefined,
  };
}

function ttlOf({ clock }: StoreParts, { ref, liveUntilMs }: LockedRef, value: unknown): number {
  const { loader, key } = ref;
  if (value === undefined) return loader.notFoundTtlMs ?? loader.ttlMs;
  const ttlMs = ttlOfValue(loader, value, key);
  return liveUntilMs ? Math.max(ttlMs, liveUntilMs - clock.now()) : ttlMs;
}

function unstoredResult(value: unknown, unstored: Unstored, loadMs: number): LoadResult {
  return { kind: 'loaded', value, stored: null, unstored, loadMs };
}

/** An aborted load says nothing about the key: those who wait for it try it themselves. */
function endOf({ code, message }: LoaderError, atMs: number): Ended | null {
  if (code === 'LOAD_ABORTED' || code === 'CLOSED') return null;
  return { outcome: { kind: 'failed', code, message }, atMs };
}
