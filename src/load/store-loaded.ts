import type { Clock } from '../core/clock.ts';
import type { LoaderError } from '../core/errors.ts';
import type { Refusal } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Loaded } from '../loaders/run-loader.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { CommitReply, Ended } from '../redis/fence.ts';
import type { Confirmable } from './confirmable.ts';
import type { EmptyGuards } from './empty-guards.ts';
import type { EntryTags, Refused } from './entry-tags.ts';
import { type LoadResult, limitedResults, unstoredResult, valueMeant } from './load-result.ts';
import type { LockedRef } from './locked-ref.ts';
import { type LoadTimes, type Made, madeOf, outlivesTags, prolonged } from './made-entry.ts';

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
        ? madeOf(parts.clock, locked, { answer, times })
        : prolonged(parts.clock, locked, { times, confirmable });
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

/** An aborted load says nothing about the key: those who wait for it try it themselves. */
function endOf({ code, message }: LoaderError, atMs: number): Ended | null {
  if (code === 'LOAD_ABORTED' || code === 'CLOSED') return null;
  return { outcome: { kind: 'failed', code, message }, atMs };
}
