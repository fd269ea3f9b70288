import type { StaleReason } from '../core/events.ts';
import type { EntryHeader } from '../redis/entry.ts';

/** What a read found, before it is shown to the caller. */
export interface Answer {
  readonly value: unknown;
  readonly source: 'memory' | 'redis' | 'loader';
  /** `uncached`: computed for this read and not stored (nothing found, fenced off, Redis away). */
  readonly state: 'fresh' | 'stale' | 'uncached';
  readonly staleBecause: StaleReason | null;
  /** When the value's load started and when it expires, epoch ms; 0 for `uncached`. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Of the entry that a load has just made; null for every other answer. */
  readonly made: EntryHeader | null;
}

/** A value, and what there is to know of it; `staleBecause` says why, where `state` is `stale`. */
export type Meta<R> = Found<R> &
  (
    | { readonly state: 'fresh' | 'uncached'; readonly staleBecause?: never }
    | { readonly state: 'stale'; readonly staleBecause: StaleReason }
  );

interface Found<R> {
  readonly value: R;
  /** `loader`: this read waited for the origin, by its own load or another's. */
  readonly source: 'memory' | 'redis' | 'loader';
  /** Milliseconds since the load of the value started; 0 for `uncached`. */
  readonly ageMs: number;
  /** Milliseconds until the value expires, negative after; 0 for `uncached`. */
  readonly ttlMs: number;
}

export function toMeta<R>(answer: Answer, nowMs: number): Meta<R> {
  const isStored = answer.state !== 'uncached';
  return {
    value: answer.value as R,
    source: answer.source,
    state: answer.state,
    ageMs: isStored ? Math.max(0, nowMs - answer.createdAtMs) : 0,
    ttlMs: isStored ? answer.expiresAtMs - nowMs : 0,
    ...(answer.staleBecause === null ? {} : { staleBecause: answer.staleBecause }),
  } as Meta<R>;
}

interface Lived {
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export function fresh(
  value: unknown,
  source: Answer['source'],
  { createdAtMs, expiresAtMs }: Lived,
): Answer {
  const made = null;
  return { value, source, state: 'fresh', staleBecause: null, createdAtMs, expiresAtMs, made };
}

/** A value that was just loaded and stored, here or by whom this process waited for. */
export function loaded(value: unknown, made: EntryHeader): Answer {
  const { createdAtMs, expiresAtMs } = made;
  const source = 'loader';
  return { value, source, state: 'fresh', staleBecause: null, createdAtMs, expiresAtMs, made };
}

/** A value past its time, read from Redis. */
export function stale(
  value: unknown,
  staleBecause: StaleReason,
  { createdAtMs, expiresAtMs }: Lived,
): Answer {
  const made = null;
  return { value, source: 'redis', state: 'stale', staleBecause, createdAtMs, expiresAtMs, made };
}

export function uncached(value: unknown): Answer {
  return {
    value,
    source: 'loader',
    state: 'uncached',
    staleBecause: null,
    createdAtMs: 0,
    expiresAtMs: 0,
    made: null,
  };
}
