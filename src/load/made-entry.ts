import type { Clock } from '../core/clock.ts';
import { EverwarmError } from '../core/errors.ts';
import type { Loaded } from '../loaders/run-loader.ts';
import { ttlOfValue } from '../loaders/times.ts';
import { smooth } from '../policy/load-time.ts';
import { type EntryHeader, encodeEntry } from '../redis/entry.ts';
import type { StoredEntry } from '../redis/fence.ts';
import { encodeStored, readStored } from '../redis/stored-value.ts';
import type { Confirmable } from './confirmable.ts';
import type { LockedRef } from './locked-ref.ts';

/** An entry to be written, and what its load comes to once it is. */
export interface Made extends StoredEntry {
  readonly locked: LockedRef;
  readonly header: EntryHeader;
  readonly value: unknown;
  readonly loadMs: number;
}

export interface LoadTimes {
  readonly startedAtMs: number;
  readonly loadMs: number;
}

interface Answered {
  readonly answer: Extract<Loaded, { readonly value: unknown }>;
  readonly times: LoadTimes;
}

interface Confirmed {
  readonly confirmable: Confirmable | null;
  readonly times: LoadTimes;
}

type Life = Omit<Made, 'bytes' | 'value'>;

/** @throws EverwarmError where its codec fails, or whatever the loader's `ttl` throws */
export function madeOf(clock: Clock, locked: LockedRef, { answer, times }: Answered): Made {
  const { value, etag } = answer;
  const { loader, key } = locked.ref;
  const life = newLife(clock, locked, { value, times });
  const bytes = encodeStored(life.header, value, { format: loader.format, etag });
  // A reader of the miss gets what later readers will: not the loader's own object, but what was kept.
  const isRead = Number.isNaN(locked.logHeat);
  const kept = isRead ? readStored(bytes, loader.format) : null;
  if (kept?.isReadable === false)
    throw new EverwarmError('CODEC_FAILED', `key ${key}: its codec cannot read back what it wrote`);
  return toMade(life, bytes, kept ? kept.value : value);
}

/**
 * The loader says that the stored value still holds: it gets a new life, as it stands. Also when the
 * entry was evicted meanwhile: the lock is still ours, so nothing newer has happened to it.
 */
export function prolonged(
  clock: Clock,
  locked: LockedRef,
  { confirmable, times }: Confirmed,
): Made {
  if (confirmable === null) throw new Error(`key ${locked.ref.key}: nothing was found to keep`);
  const { entry, value } = confirmable;
  const life = newLife(clock, locked, { value, times });
  const bytes = encodeEntry(life.header, entry.payload, entry.extension);
  return toMade(life, bytes, value);
}

/** It lives longer than its tags were told before the load. */
export function outlivesTags({ locked, lifeMs, header }: Made): boolean {
  const { loader } = locked.ref;
  const toldMs = Math.max(loader.ttlMs, (locked.liveUntilMs ?? 0) - header.createdAtMs);
  return loader.isTagged && lifeMs - loader.keptStaleMs > toldMs;
}

/** Name by name: a spread takes as long as encoding a small value. */
function toMade({ locked, header, lifeMs, loadMs }: Life, bytes: Buffer, value: unknown): Made {
  return { locked, header, bytes, lifeMs, loadMs, value };
}

function newLife(
  clock: Clock,
  locked: LockedRef,
  { value, times }: { readonly value: unknown; readonly times: LoadTimes },
): Life {
  const { ref, previous, logHeat, unreadLives } = locked;
  const { startedAtMs, loadMs } = times;
  const ttlMs = ttlOf(clock, locked, value);
  const header = {
    createdAtMs: Math.floor(startedAtMs),
    expiresAtMs: Math.floor(clock.now() + ttlMs),
    load: smooth(previous?.load ?? null, loadMs),
    logHeat,
    unreadLives,
    invalidated: false,
    notFound: value === undefined,
  };
  return { locked, header, lifeMs: ttlMs + ref.loader.keptStaleMs, loadMs };
}

function ttlOf(clock: Clock, { ref, liveUntilMs }: LockedRef, value: unknown): number {
  const { loader, key } = ref;
  if (value === undefined) return loader.notFoundTtlMs ?? loader.ttlMs;
  const ttlMs = ttlOfValue(loader, value, key);
  return liveUntilMs ? Math.max(ttlMs, liveUntilMs - clock.now()) : ttlMs;
}
