import type { Clock } from '../core/clock.ts';
import { EverwarmError } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { isAway } from '../redis/away.ts';
import { decodeHeader, type EntryHeader } from '../redis/entry.ts';
import type { Acquired, Unknown } from '../redis/fence.ts';
import type { Keys } from '../redis/keys.ts';
import type { FencedLoad } from './fenced-load.ts';
import type { LoadResult } from './load-result.ts';
import type { LoadRun } from './load-run.ts';
import type { LoadRef, LockedRef } from './locked-ref.ts';

/** What became of one key of a warm-up. */
export type Warmed =
  /** Loaded and stored, or there is nothing to store: then without an expiry. */
  | { readonly kind: 'done'; readonly key: string; readonly expiresAtMs: number | null }
  /** It is fresh, or somebody else is on it. */
  | { readonly kind: 'skipped'; readonly key: string }
  /** To be tried again: its loader is at its limit, the cache server is away, or the load was overtaken. */
  | {
      readonly kind: 'postponed';
      readonly key: string;
      readonly retryAfterMs: number;
      readonly error: unknown;
    }
  | { readonly kind: 'failed'; readonly key: string; readonly error: unknown };

/** A key to warm, and createdAt of the entry it was seen with, or 0. */
export interface WarmKey {
  readonly key: string;
  readonly seenCreatedAtMs: number;
}

export interface WarmCall extends Pick<LoadRun, 'permit' | 'inSlot'> {
  readonly loader: AnyLoader;
  /** An entry that is as fresh as that needs no load. */
  readonly isFresh: (header: EntryHeader) => boolean;
  /** What is stored lives at least until then; null: for its ttl. */
  readonly liveUntilMs: number | null;
}

export interface WarmLoadParts {
  readonly fenced: FencedLoad;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly events: Events;
}

/** When to ask a cache server again that is away. */
const AWAY_RETRY_MS = 1_000;
// Not NaN: no reader waits for the value. Nothing equals it, so that its life counts as read.
const UNKNOWN_LOG_HEAT = Number.NEGATIVE_INFINITY;

/** Loads keys ahead of their readers: locks, one loader call, fenced commits. */
export class WarmLoad {
  readonly #parts: WarmLoadParts;

  constructor(parts: WarmLoadParts) {
    this.#parts = parts;
  }

  /** Warms the keys by one loader call, `loadMany` if there are several. Never rejects. */
  async run(warmKeys: readonly WarmKey[], call: WarmCall): Promise<readonly Warmed[]> {
    const { fenced, events } = this.#parts;
    const { loader, permit, inSlot } = call;
    const token = fenced.newToken();
    const { locked, warmed } = await this.#acquireAll(warmKeys, token, call);
    if (locked.length > 0) {
      const results = await fenced.run(locked, {
        reason: 'warm',
        attempt: 1,
        ...(permit && { permit }),
        ...(inSlot && { inSlot }),
      });
      for (const [at, { ref }] of locked.entries()) {
        const result = results[at];
        if (result) warmed.push(toWarmed(ref.key, result));
      }
    }
    for (const one of warmed) {
      if (one.kind !== 'failed') continue;
      events.emit('warm:failed', { loader: loader.name, key: one.key, error: one.error });
    }
    return warmed;
  }

  async #acquireAll(
    warmKeys: readonly WarmKey[],
    token: string,
    call: WarmCall,
  ): Promise<{ readonly locked: readonly LockedRef[]; readonly warmed: Warmed[] }> {
    const { keys, fenced, clock } = this.#parts;
    const refs = warmKeys.map(({ key }): LoadRef => {
      const entryKey = keys.entry(call.loader, key);
      return { loader: call.loader, key, entryKey, lockKey: keys.lock(entryKey) };
    });
    const ask = (some: readonly LoadRef[], seen: readonly number[]) =>
      fenced.acquireAll(some, { token, waitingSinceMs: clock.now() }, seen);
    const locked: LockedRef[] = [];
    const warmed: Warmed[] = [];
    const sort = (ref: LoadRef, reply: Acquired | Unknown | undefined): void => {
      if (reply?.kind === 'acquired') locked.push(toLocked(ref, reply, { token, call }));
      else if (reply?.kind === 'unknown') warmed.push(toFailure(ref.key, reply.error));
      else warmed.push({ kind: 'skipped', key: ref.key });
    };
    const replies = await ask(
      refs,
      warmKeys.map(({ seenCreatedAtMs }) => seenCreatedAtMs),
    );
    const again: { readonly ref: LoadRef; readonly createdAtMs: number }[] = [];
    for (const [at, ref] of refs.entries()) {
      const reply = replies[at];
      const found = reply?.kind === 'entry' ? decodeHeader(reply.bytes) : null;
      // Somebody was faster, but by a load that does not last as long as this one has to.
      if (found && !call.isFresh(found)) again.push({ ref, createdAtMs: found.createdAtMs });
      else sort(ref, reply);
    }
    if (again.length > 0) {
      const others = again.map(({ ref }) => ref);
      const more = await ask(
        others,
        again.map(({ createdAtMs }) => createdAtMs),
      );
      for (const [at, ref] of others.entries()) sort(ref, more[at]);
    }
    return { locked, warmed };
  }
}

function toLocked(
  ref: LoadRef,
  { previous, etag }: Extract<Acquired, { kind: 'acquired' }>,
  { token, call }: { readonly token: string; readonly call: WarmCall },
): LockedRef {
  const { liveUntilMs } = call;
  return { ref, token, previous, etag, logHeat: UNKNOWN_LOG_HEAT, unreadLives: 0, liveUntilMs };
}

function toWarmed(key: string, result: LoadResult): Warmed {
  if (result.kind === 'not-found') return { kind: 'done', key, expiresAtMs: null };
  if (result.kind === 'limited') return postponed(key, result.refusal.retryAfterMs, result.error);
  if (result.kind === 'failed') {
    // Invalidated or set in mid-load, or this process is closing.
    if (result.error.code === 'LOAD_ABORTED') return postponed(key, 0, result.error);
    return { kind: 'failed', key, error: result.error };
  }
  if (result.stored) return { kind: 'done', key, expiresAtMs: result.stored.expiresAtMs };
  if (result.unstored?.why === 'failed') return toFailure(key, result.unstored.error);
  if (result.unstored?.why === 'newer-format') return { kind: 'skipped', key };
  return postponed(key, 0, new EverwarmError('LOAD_ABORTED', `key ${key}: its load was overtaken`));
}

function toFailure(key: string, error: unknown): Warmed {
  return isAway(error) ? postponed(key, AWAY_RETRY_MS, error) : { kind: 'failed', key, error };
}

function postponed(key: string, retryAfterMs: number, error: unknown): Warmed {
  return { kind: 'postponed', key, retryAfterMs, error };
}
