import type { Loaded, LoadTarget } from '../loaders/run-loader.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { CommitReply } from '../redis/fence.ts';
import { type Confirmable, confirmable } from './confirmable.ts';
import type { Refused } from './entry-tags.ts';
import { type LoadResult, withoutVerdict } from './load-result.ts';
import type { Hold } from './lock-keeper.ts';
import type { LockedRef } from './locked-ref.ts';
import type { Made } from './made-entry.ts';
import { committed, make, notWritten, type StoreParts } from './store-loaded.ts';

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

/** Stores what was answered for each key, in few commands. */
export async function storeBatch(
  parts: StoreParts,
  locked: readonly LockedRef[],
  { answers, startedAtMs, refused, found, hold, onSettled }: LoadedBatch,
): Promise<readonly LoadResult[]> {
  const times = { startedAtMs, loadMs: parts.clock.now() - startedAtMs };
  const results: LoadResult[] = new Array(answers.length);
  const settle = (at: number, result: LoadResult): void => {
    results[at] = result;
    onSettled();
  };
  const made: { readonly at: number; readonly one: Made }[] = [];
  const storing: Promise<void>[] = [];
  // Asked before the commits: it is about what they will be answered.
  const unconfirmed = new Set<number>();
  for (const [at, answer] of answers.entries()) {
    const one = locked[at] as LockedRef;
    if (hold.isUnconfirmed(one.ref.lockKey)) unconfirmed.add(at);
    const next = make(parts, one, {
      answer,
      times,
      confirmable: found[at] ?? null,
      refused: refused?.get(at) ?? null,
    });
    if (next instanceof Promise) storing.push(next.then((result) => settle(at, result)));
    else made.push({ at, one: next });
  }
  const size = parts.store.togetherAtMost;
  for (let from = 0; from < made.length; from += size) {
    storing.push(commitSome(parts, made.slice(from, from + size), settle));
  }
  await Promise.all(storing);
  for (const at of unconfirmed) results[at] = withoutVerdict(results[at] as LoadResult);
  return results;
}

async function commitSome(
  parts: StoreParts,
  made: readonly { readonly at: number; readonly one: Made }[],
  settle: (at: number, result: LoadResult) => void,
): Promise<void> {
  const places = made.map(({ one }) => one.locked.ref);
  const entries = made.map(({ one }) => one);
  // Locked together, so under one token.
  const token = entries[0]?.locked.token ?? '';
  try {
    const replies = await parts.store.commitTogether(places, token, entries);
    for (const [nth, { at, one }] of made.entries()) {
      settle(at, committed(one, replies[nth] as CommitReply));
    }
  } catch (error) {
    for (const { at, one } of made) settle(at, notWritten(parts, one, error));
  }
}
