import type { EventMap, Events } from '../core/events.ts';
import type { Refusal } from '../core/origin.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { LockedRef } from '../load/locked-ref.ts';
import { isAway } from '../redis/away.ts';
import type { Acquired } from '../redis/fence.ts';
import { readStored } from '../redis/stored-value.ts';

/** Why a key was left alone, other than to be tried again. */
export type SkipReason = Exclude<
  EventMap['refresh:skipped']['why'],
  'limited' | 'origin-open' | 'redis-away'
>;

/** What became of one key of a job. */
export type KeyOutcome =
  | {
      readonly kind: 'refreshed';
      readonly key: string;
      readonly expiresAtMs: number;
      readonly loadMs: number;
      /** Life the old entry still had when the new one landed; negative: too late. */
      readonly leadMs: number;
    }
  | {
      readonly kind: 'skipped';
      readonly key: string;
      readonly why: SkipReason;
      /** Expiry of the entry found in place; 0: unknown. */
      readonly expiresAtMs: number;
    }
  /** Not tried, and to be tried later: there was no permit of its origin. */
  | { readonly kind: 'limited'; readonly key: string; readonly refusal: Refusal }
  /** Not tried, or in vain: the cache server is away. It says nothing about the key. */
  | { readonly kind: 'away'; readonly key: string }
  | { readonly kind: 'failed'; readonly key: string; readonly error: unknown };

export function skipped(key: string, why: SkipReason, expiresAtMs = 0): KeyOutcome {
  return { kind: 'skipped', key, why, expiresAtMs };
}

/** The outcome of a key whose lock was not to be had. */
export function outcomeOfReply(
  key: string,
  reply: Exclude<Acquired, { kind: 'acquired' }>,
): KeyOutcome {
  if (reply.kind !== 'entry') return skipped(key, 'held');
  return skipped(key, 'fresh', readStored(reply.bytes).header?.expiresAtMs ?? 0);
}

/** The outcome of a key whose lock could not be asked for, or whose value could not be stored. */
export function outcomeOfError(key: string, error: unknown): KeyOutcome {
  return isAway(error) ? { kind: 'away', key } : { kind: 'failed', key, error };
}

export function outcomeOfLoad(locked: LockedRef, result: LoadResult, nowMs: number): KeyOutcome {
  const { key } = locked.ref;
  if (result.kind === 'not-found') return skipped(key, 'not-found');
  if (result.kind === 'limited') return { kind: 'limited', key, refusal: result.refusal };
  if (result.kind === 'failed') {
    // Invalidated or set in mid-load: whoever did that has made the refresh needless.
    if (result.error.code === 'LOAD_ABORTED') return skipped(key, 'superseded');
    return { kind: 'failed', key, error: result.error };
  }
  if (result.stored) {
    const { expiresAtMs } = result.stored;
    const leadMs = (locked.previous?.expiresAtMs ?? nowMs) - nowMs;
    return { kind: 'refreshed', key, expiresAtMs, loadMs: result.loadMs, leadMs };
  }
  if (result.unstored?.why === 'failed') return outcomeOfError(key, result.unstored.error);
  return skipped(key, 'superseded');
}

/** One event per key; failures are reported with their next try, by whoever plans it. */
export function report(outcome: KeyOutcome, loader: { name: string }, events: Events): void {
  const about = { loader: loader.name, key: outcome.key };
  if (outcome.kind === 'refreshed') {
    const { loadMs, leadMs } = outcome;
    events.emit('refresh:completed', { loadMs, leadMs, ...about });
  } else if (outcome.kind === 'skipped') {
    events.emit('refresh:skipped', { why: outcome.why, ...about });
  } else if (outcome.kind === 'limited') {
    const why = outcome.refusal.why === 'breaker' ? 'origin-open' : 'limited';
    events.emit('refresh:skipped', { why, ...about });
  } else if (outcome.kind === 'away') {
    events.emit('refresh:skipped', { why: 'redis-away', ...about });
  }
}
