import type { Clock } from '../core/clock.ts';
import { EverwarmError, type LoaderError } from '../core/errors.ts';
import type { Refusal } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import { ttlOfValue } from '../loaders/times.ts';
import { smooth } from '../policy/load-time.ts';
import { type EntryHeader, encodeEntry } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { CommitReply, Ended, EntryPlace, StoredEntry } from '../redis/fence.ts';
import { encodeStored, readStored } from '../redis/stored-value.ts';
import type { Confirmable } from './confirmable.ts';
import type { EmptyGuards } from './empty-guards.ts';
import type { EntryTags, Refused } from './entry-tags.ts';
import { refusalError } from './refusal-error.ts';

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
  /** Not tried: there was no permit of its origin in time. */
  | {
      readonly kind: 'limited';
      readonly error: LoaderError;
      readonly refusal: Refusal;
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

type Valued = Extract<Loaded, { readonly value: unknown }>;

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
  refusal: Refusal,
): Promise<readonly LoadResult[]> {
  // Best effort: else the locks run out.
  const releases = locked.map(({ ref, token }) => store.release(ref, token, null));
  await Promise.allSettled(releases);
  return limitedResults(
    locked.map(({ ref }) => ref),
    refusal,
  );
}

export function limitedResults(refs: readonly LoadRef[], refusal: Refusal): readonly LoadResult[] {
  return refs.map((ref) => ({
    kind: 'limited',
    error: refusalError(ref, refusal),
    refusal,
    loadMs: 0,
  }));
}

/** An entry to be written, and what its load comes to once it is. */
export interface Made extends StoredEntry {
  readonly locked: LockedRef;
  readonly header: EntryHeader;
  readonly value: unknown;
  readonly loadMs: number;
}

/**
 * The entry to write for a loader's answer, or the result where it needs more than that, such as the
 * outcome of a failure. Never throws nor rejects.
 */
export function make(
  parts: StoreParts,
  locked: LockedRef,
  loaded: LoadedKey,
): Made | Promise<LoadResult> {
  const { ref } = locked;
  const { times, refused, confirmable } = loaded;
  const answer = parts.guards.judge(locked, loaded.answer);
  if ('error' in answer) return leaveFailure(parts, locked, { error: answer.error, times });
  try {
    if (refused && isStored(answer, ref.loader)) throw refused.error;
    const isNothing = 'value' in answer && answer.value === undefined;
    if (isNothing && ref.loader.notFoundTtlMs === null) return commitNothing(parts, locked, times);
    const made =
      'value' in answer
        ? madeOf(parts, locked, { answer, times })
        : prolonged(parts, locked, { times, confirmable });
    return outlivesTags(made) ? commitTagged(parts, made) : made;
  } catch (error) {
    const { loadMs } = times;
    const value = valueMeant(answer, confirmable);
    return Promise.resolve(notWritten(parts, { locked, value, loadMs }, error));
  }
}

/** What it comes to when its commit has failed: nobody knows whether it is there. */
export function notWritten(
  { store }: StoreParts,
  { locked, value, loadMs }: Pick<Made, 'locked' | 'value' | 'loadMs'>,
  error: unknown,
): LoadResult {
  store.release(locked.ref, locked.token, null).catch(() => undefined);
  return unstoredResult(value, { why: 'failed', error }, loadMs);
}

export function committed({ value, header, loadMs }: Made, reply: CommitReply): LoadResult {
  if (reply === 'written') return { kind: 'loaded', value, stored: header, unstored: null, loadMs };
  const why = reply === 'refused' ? 'superseded' : 'newer-format';
  return unstoredResult(value, { why }, loadMs);
}

/** Best effort: whoever waits finds the outcome, else the lock runs out. */
async function leaveFailure(
  { store, clock }: StoreParts,
  { ref, token }: LockedRef,
  { error, times }: { readonly error: LoaderError; readonly times: LoadTimes },
): Promise<LoadResult> {
  await store.release(ref, token, endOf(error, clock.now())).catch(() => undefined);
  return { kind: 'failed', error, loadMs: times.loadMs };
}

async function commitNothing(
  parts: StoreParts,
  locked: LockedRef,
  { loadMs }: LoadTimes,
): Promise<LoadResult> {
  const ended = { outcome: { kind: 'not-found' }, atMs: parts.clock.now() } as const;
  try {
    const reply = await parts.store.commit(locked.ref, locked.token, ended);
    if (reply !== 'refused') return { kind: 'not-found', loadMs };
    return unstoredResult(undefined, { why: 'superseded' }, loadMs);
  } catch (error) {
    return notWritten(parts, { locked, value: undefined, loadMs }, error);
  }
}

/** All but "nothing there" without a ttl for that. */
function isStored(answer: Loaded, loader: AnyLoader): boolean {
  return !('value' in answer) || answer.value !== undefined || loader.notFoundTtlMs !== null;
}

function madeOf(
  parts: StoreParts,
  locked: LockedRef,
  { answer, times }: { readonly answer: Valued; readonly times: LoadTimes },
): Made {
  const { value, etag } = answer;
  const { loader, key } = locked.ref;
  const ttlMs = ttlOf(parts, locked, value);
  const header = headerOf(parts, locked, { times, value, ttlMs });
  const bytes = encodeStored(header, value, { format: loader.format, etag });
  // A reader of the miss gets what later readers will: not the loader's own object, but what was kept.
  const isRead = Number.isNaN(locked.logHeat);
  const kept = isRead ? readStored(bytes, loader.format) : null;
  if (kept?.isReadable === false)
    throw new EverwarmError('CODEC_FAILED', `key ${key}: its codec cannot read back what it wrote`);
  const lifeMs = ttlMs + loader.keptStaleMs;
  const { loadMs } = times;
  return { locked, bytes, header, lifeMs, loadMs, value: kept ? kept.value : value };
}

/**
 * The loader says that the stored value still holds: it gets a new life, as it stands. Also when the
 * entry was evicted meanwhile: the lock is still ours, so nothing newer has happened to it.
 */
function prolonged(
  parts: StoreParts,
  locked: LockedRef,
  { times, confirmable }: Pick<LoadedKey, 'times' | 'confirmable'>,
): Made {
  const { loader, key } = locked.ref;
  if (confirmable === null) throw new Error(`key ${key}: nothing was found to keep`);
  const { entry, value } = confirmable;
  const ttlMs = ttlOf(parts, locked, value);
  const header = headerOf(parts, locked, { times, ttlMs, value });
  const bytes = encodeEntry(header, entry.payload, entry.extension);
  const lifeMs = ttlMs + loader.keptStaleMs;
  return { locked, bytes, header, lifeMs, value, loadMs: times.loadMs };
}

/** It lives longer than its tags were told before the load. */
function outlivesTags({ locked, lifeMs, header }: Made): boolean {
  const { loader } = locked.ref;
  const toldMs = Math.max(loader.ttlMs, (locked.liveUntilMs ?? 0) - header.createdAtMs);
  return loader.isTagged && lifeMs - loader.keptStaleMs > toldMs;
}

async function commitTagged(parts: StoreParts, made: Made): Promise<LoadResult> {
  const { ref, token } = made.locked;
  try {
    const refused = (await parts.tags.add([ref], made.lifeMs)).get(0);
    if (refused) throw refused.error;
    return committed(made, await parts.store.commit(ref, token, made));
  } catch (error) {
    return notWritten(parts, made, error);
  }
}

function headerOf(
  { clock }: StoreParts,
  { previous, logHeat, unreadLives }: LockedRef,
  life: { readonly times: LoadTimes; readonly ttlMs: number; readonly value: unknown },
): EntryHeader {
  return {
    createdAtMs: Math.floor(life.times.startedAtMs),
    expiresAtMs: Math.floor(clock.now() + life.ttlMs),
    load: smooth(previous?.load ?? null, life.times.loadMs),
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
