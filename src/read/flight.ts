import { LoaderError } from '../core/errors.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { LoadRef, LockedRef } from '../load/locked-ref.ts';
import type { Found } from '../load/readable.ts';
import { isAway } from '../redis/away.ts';
import type { Acquired, Outcome } from '../redis/fence.ts';

/** What a reader knows when it has to load: the unusable or expired entry it found, if any. */
export interface Miss {
  readonly ref: LoadRef;
  readonly seen: Found;
}

/** The state of one load of a missing key. */
export interface Flight extends Miss {
  readonly token: string;
  readonly waitingSinceMs: number;
  readonly giveUpAtMs: number;
  seen: Found;
  seenCreatedAtMs: number;
  polls: number;
  /** How long ago Redis was last heard, when it is asked again. */
  unheardMs: number;
  restarts: number;
}

export function toLocked(
  flight: Flight,
  reply: Extract<Acquired, { kind: 'acquired' }>,
): LockedRef {
  const { ref, token } = flight;
  const { previous, etag } = reply;
  return { ref, token, previous, etag, logHeat: Number.NaN, unreadLives: 0 };
}

/** Its lock was taken away: who joined the flight since then must not get what it read. */
export function isOutdated(result: LoadResult): boolean {
  if (result.kind === 'failed') return result.error.code === 'LOAD_ABORTED';
  return result.kind === 'loaded' && result.unstored?.why === 'superseded';
}

/** Redis was away when it should have been stored: nobody else has it. */
export function isHomeless(result: LoadResult, { loader }: LoadRef): boolean {
  const unstored = result.kind === 'loaded' ? result.unstored : null;
  if (unstored?.why !== 'failed') return unstored?.why === 'unlocked';
  // An invalidation of a tag that was not kept would not find it in this process either.
  return isAway(unstored.error) && !loader.isTagged;
}

/** Another process's outcome, as if the load had been ours. */
export function asResult(outcome: Outcome): LoadResult {
  if (outcome.kind === 'not-found') return { kind: 'not-found', loadMs: 0 };
  return { kind: 'failed', error: new LoaderError(outcome.code, outcome.message), loadMs: 0 };
}
