import type { ErrorCode } from '../core/errors.ts';
import { decodeExtension, decodeHeader, type EntryHeader } from './entry.ts';
import type { ScriptArgument } from './scripts.ts';

/** Where an entry and its lock are. */
export interface EntryPlace {
  readonly entryKey: string;
  readonly lockKey: string;
}

/** What asking for a key's lock can answer. */
export type Acquired =
  | {
      readonly kind: 'acquired';
      /** Of the entry in place, unverified. */
      readonly previous: EntryHeader | null;
      readonly etag: string | null;
    }
  | { readonly kind: 'entry'; readonly bytes: Buffer }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'held'; readonly remainingMs: number };

/** How a load ended that stored nothing. */
export type Outcome =
  | { readonly kind: 'not-found' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** An outcome to leave for who waits. */
export interface Ended {
  readonly outcome: Outcome;
  /** When the load ended. */
  readonly atMs: number;
}

/** An entry as it is written, and for how long Redis keeps it. */
export interface StoredEntry {
  readonly bytes: Buffer;
  readonly lifeMs: number;
}

export interface LockRequest {
  readonly token: string;
  readonly lockTtlMs: number;
  /** createdAt of the entry the caller has seen and won't take, or 0. */
  readonly seenCreatedAtMs: number;
  /** Since when the caller waits: it takes the outcome of a load that ended after that, no older one. */
  readonly waitingSinceMs: number;
  /** The caller waits if the lock is held, and wants to be woken at the end of that load. */
  readonly waits?: boolean;
  /** Longest wait for the answer, if shorter than the store's. */
  readonly withinMs?: number;
}

/** Nobody knows what became of one key of several: Redis failed. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly error: unknown;
}

export type CommitReply = 'written' | 'refused' | 'newer-format';

/** How long waiters find the outcome of a load that stored nothing. */
export const OUTCOME_TTL_MS = 1_000;

/*
 * What the scripts of locks and commits are told and answer, for keys that share a call: few arguments for
 * many keys, since each one takes a microsecond on its way.
 */

export function keysOf(places: readonly EntryPlace[]): string[] {
  const keys: string[] = [];
  for (const { entryKey, lockKey } of places) keys.push(entryKey, lockKey);
  return keys;
}

export function lockArguments(
  { token, lockTtlMs, waitingSinceMs, waits }: Omit<LockRequest, 'seenCreatedAtMs'>,
  seenCreatedAtMs: readonly number[],
): ScriptArgument[] {
  const isAnySeen = seenCreatedAtMs.some((ms) => ms !== 0);
  const seen = isAnySeen ? seenCreatedAtMs.map(Math.round).join(' ') : '';
  return [seenCreatedAtMs.length, token, lockTtlMs, waitingSinceMs, waits ? '1' : '', seen];
}

const FREE: Acquired = Object.freeze({ kind: 'acquired', previous: null, etag: null });

export function toAcquired(reply: unknown): Acquired {
  if (reply === 0) return FREE;
  const [kind, detail] = reply as [number, Buffer | number];
  if (kind === 1) return { kind: 'entry', bytes: detail as Buffer };
  if (kind === 2) return { kind: 'outcome', outcome: JSON.parse(detail.toString()) as Outcome };
  if (kind === 3) return { kind: 'held', remainingMs: Number(detail) };
  const first = detail as Buffer;
  const etag = decodeExtension(first)?.etag ?? null;
  return { kind: 'acquired', previous: decodeHeader(first), etag };
}

export function commitArguments(token: string, entries: readonly StoredEntry[]): ScriptArgument[] {
  const lives = entries.map(({ bytes, lifeMs }) => `${bytes.length} ${Math.ceil(lifeMs)}`);
  const [first] = entries;
  const all = first && entries.length === 1 ? first.bytes : joined(entries);
  return [entries.length, token, '', OUTCOME_TTL_MS, lives.join(' '), all];
}

export function endArguments(token: string, ended: Ended): ScriptArgument[] {
  return [1, token, outcomeText(ended), OUTCOME_TTL_MS, '0 0', ''];
}

export function toCommitReply(reply: unknown): CommitReply {
  if (reply === 1) return 'written';
  return reply === 0 ? 'refused' : 'newer-format';
}

export function outcomeText({ outcome, atMs }: Ended): string {
  return `${atMs.toFixed(3)} ${JSON.stringify(outcome)}`;
}

function joined(entries: readonly StoredEntry[]): Buffer {
  return Buffer.concat(entries.map(({ bytes }) => bytes));
}
