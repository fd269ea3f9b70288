import type { LoaderError } from '../core/errors.ts';
import type { Refusal } from '../core/origin.ts';
import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { Confirmable } from './confirmable.ts';
import { refusalError } from './refusal-error.ts';

/** What a load of a key comes to. */
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
export function valueMeant(
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

export function limitedResults(
  refs: readonly LoadTarget[],
  refusal: Refusal,
): readonly LoadResult[] {
  return refs.map((ref) => ({
    kind: 'limited',
    error: refusalError(ref, refusal),
    refusal,
    loadMs: 0,
  }));
}

export function unstoredResult(value: unknown, unstored: Unstored, loadMs: number): LoadResult {
  return { kind: 'loaded', value, stored: null, unstored, loadMs };
}
