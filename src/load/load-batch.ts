import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import { type Confirmable, confirmable } from './confirmable.ts';
import type { Refused } from './entry-tags.ts';
import type { Hold } from './lock-keeper.ts';
import {
  type LoadResult,
  type LockedRef,
  type StoreParts,
  storeLoaded,
  withoutVerdict,
} from './store-loaded.ts';

/** What one loader call answered for keys that are locked together. What is by place is by theirs. */
export interface LoadedBatch {
  readonly answers: readonly Loaded[];
  readonly startedAtMs: number;
  /** Which of them must not be stored. */
  readonly refused: ReadonlyMap<number, Refused> | null;
  /** What the loader could say "not modified" of. */
  readonly found: readonly (Confirmable | null)[];
  readonly hold: Hold;
  /** The answer for a key has been stored, or cannot be. */
  readonly onSettled: () => void;
}

/** Only where there is an ETag: most loaders know none, and need not wait for another round trip. */
export function confirmables(
  store: EntryStore,
  locked: readonly LockedRef[],
): readonly (Confirmable | null)[] | Promise<readonly (Confirmable | null)[]> {
  if (locked.every(({ etag }) => etag === null)) return [];
  return Promise.all(
    locked.map(({ ref, etag }) => (etag === null ? null : confirmable(store, ref))),
  );
}

/** The keys as a loader call takes them: told the ETags of what it could confirm. */
export function toTargets(
  locked: readonly LockedRef[],
  found: readonly (Confirmable | null)[],
): readonly LoadTarget[] {
  return locked.map(({ ref }, at) => ({
    loader: ref.loader,
    key: ref.key,
    etag: found[at]?.etag ?? null,
  }));
}

/** Stores what was answered for each key. */
export function storeBatch(
  parts: StoreParts,
  locked: readonly LockedRef[],
  { answers, startedAtMs, refused, found, hold, onSettled }: LoadedBatch,
): Promise<readonly LoadResult[]> {
  const times = { startedAtMs, loadMs: parts.clock.now() - startedAtMs };
  return Promise.all(
    answers.map(async (answer, at) => {
      const one = locked[at] as LockedRef;
      const isUnconfirmed = hold.isUnconfirmed(one.ref.lockKey);
      const result = await storeLoaded(parts, one, {
        answer,
        times,
        confirmable: found[at] ?? null,
        refused: refused?.get(at) ?? null,
      });
      onSettled();
      return isUnconfirmed ? withoutVerdict(result) : result;
    }),
  );
}
