import { DEFAULTS } from '../config/defaults.ts';
import type { ErrorCode } from '../core/errors.ts';
import { BatchedScript } from './batched-script.ts';
import type { Breakers } from './breakers.ts';
import { withinTimeout } from './connection.ts';
import {
  createdAtBytes,
  decodeExtension,
  decodeHeader,
  type EntryHeader,
  HEADER_BYTES,
} from './entry.ts';
import { hashSlot } from './hash-slot.ts';
import { isCluster, nodeOf, type RedisClient, sendTogether } from './redis-client.ts';
import { type ScriptClient, scriptClient } from './scripts.ts';

/** How long waiters find the outcome of a load that stored nothing. */
const OUTCOME_TTL_MS = 1_000;

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

export interface EntryStoreOptions {
  /** Longest wait for the answer to `acquire`. @defaultValue that of a write */
  readonly acquireTimeoutMs?: number;
  /** While a node's is open, `acquire` rejects at once. */
  readonly breakers?: Breakers;
}

export type CommitReply = 'written' | 'refused' | 'newer-format';

/** Entries and locks in the cache server: each method is one atomic step. All reject when Redis fails. */
export class EntryStore {
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #breakers: Breakers | null;
  readonly #acquires: BatchedScript;
  readonly #commits: BatchedScript;

  constructor(redis: RedisClient, { acquireTimeoutMs, breakers }: EntryStoreOptions = {}) {
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
    this.#breakers = breakers ?? null;
    const { runMany } = this.#scripts;
    const slotOf = isCluster(redis) ? hashSlot : () => 0;
    const serverOf = (key: string): string => nodeOf(redis, key);
    const { writeTimeoutMs } = DEFAULTS;
    this.#acquires = new BatchedScript({
      what: 'locking',
      run: (calls) => runMany('acquireLock', calls),
      slotOf,
      nodeOf: serverOf,
      timeoutMs: acquireTimeoutMs ?? writeTimeoutMs,
    });
    this.#commits = new BatchedScript({
      what: 'writing',
      run: (calls) => runMany('commitEntry', calls),
      slotOf,
      nodeOf: serverOf,
      timeoutMs: writeTimeoutMs,
    });
  }

  /** Whether its connection was closed for good: it will never answer again. */
  get isClosed(): boolean {
    return this.#redis.status === 'end';
  }

  async acquire(place: EntryPlace, request: LockRequest): Promise<Acquired> {
    // Reads probe: asking for a lock is never worth a wait for a server that is probably away.
    const breaker = this.#breakers?.ofKey(place.entryKey);
    if (breaker?.isClosed === false) throw breaker.refusal;
    const keys = [place.entryKey, place.lockKey];
    const { token, lockTtlMs, seenCreatedAtMs, waitingSinceMs, waits, withinMs } = request;
    const seen = createdAtBytes(seenCreatedAtMs);
    const args = [token, lockTtlMs, seen, waitingSinceMs, waits ? '1' : ''];
    let reply: unknown;
    try {
      const asked = this.#acquires.call(keys, args);
      const what = `locking ${place.entryKey}`;
      reply = await (withinMs === undefined ? asked : withinTimeout(asked, what, withinMs));
    } catch (error) {
      // The lock may have been granted with nobody to use it: give it back, after it on the same wire.
      this.release(place, token, null).catch(() => undefined);
      throw error;
    }
    const [kind, detail] = reply as [number, Buffer | number];
    if (kind === 1) return { kind: 'entry', bytes: detail as Buffer };
    if (kind === 2) return { kind: 'outcome', outcome: JSON.parse(detail.toString()) as Outcome };
    if (kind === 3) return { kind: 'held', remainingMs: Number(detail) };
    const first = detail as Buffer;
    const etag = decodeExtension(first)?.etag ?? null;
    return { kind: 'acquired', previous: decodeHeader(first), etag };
  }

  /** Whether the lock is still held with this token, now for another `lockTtlMs`. */
  async renew(lockKey: string, token: string, lockTtlMs: number): Promise<boolean> {
    const reply = this.#scripts.run('renewLock', [lockKey, token, lockTtlMs]);
    return (await withinTimeout(reply, `renewing ${lockKey}`)) === 1;
  }

  /** Frees the lock, if it is held with this token; waiters find the outcome for a second. */
  async release(place: EntryPlace, token: string, ended: Ended | null): Promise<void> {
    const text = ended ? outcomeText(ended) : '';
    const args = [place.lockKey, token, text, OUTCOME_TTL_MS, place.entryKey];
    const reply = this.#scripts.run('releaseLock', args);
    await withinTimeout(reply, `releasing ${place.lockKey}`);
  }

  /** Writes a load's entry, or the end of one that found nothing, if the lock is held with this token. */
  async commit(place: EntryPlace, token: string, made: StoredEntry | Ended): Promise<CommitReply> {
    const keys = [place.entryKey, place.lockKey];
    const args = [
      token,
      'bytes' in made ? made.bytes : '',
      'bytes' in made ? Math.ceil(made.lifeMs) : 0,
      'outcome' in made ? outcomeText(made) : '',
      OUTCOME_TTL_MS,
    ];
    const send = (): Promise<unknown> => this.#commits.call(keys, args);
    // The script knows its own entry when it finds it, so a commit whose reply was lost may go twice.
    const reply = await send().catch(send);
    if (reply === 1) return 'written';
    return reply === 0 ? 'refused' : 'newer-format';
  }

  /** Writes a value the application set, and voids every load in flight. */
  async put(place: EntryPlace, bytes: Buffer, lifeMs: number): Promise<CommitReply> {
    const args = [place.entryKey, place.lockKey, bytes, Math.ceil(lifeMs)];
    const reply = await withinTimeout(
      this.#scripts.run('putEntry', args),
      `setting ${place.entryKey}`,
    );
    return reply === 1 ? 'written' : 'newer-format';
  }

  /** Removes the entry and voids every load in flight; answers whether there was an entry. */
  async invalidate(place: EntryPlace): Promise<boolean> {
    const reply = this.#scripts.run('invalidateEntry', [place.entryKey, place.lockKey]);
    return (await withinTimeout(reply, `invalidating ${place.entryKey}`)) === 1;
  }

  /** Marks the entry as invalidated and voids every load in flight; answers whether it was not before. */
  async mark(place: EntryPlace): Promise<boolean> {
    const reply = this.#scripts.run('markEntry', [place.entryKey, place.lockKey]);
    return (await withinTimeout(reply, `marking ${place.entryKey}`)) === 1;
  }

  /** The entry as it stands. */
  read(place: EntryPlace): Promise<Buffer | null> {
    return withinTimeout(this.#redis.getBuffer(place.entryKey), `reading ${place.entryKey}`);
  }

  /**
   * The headers of many entries, unverified; null where there is none of ours, undefined where its node
   * of a cluster did not answer. Rejects when none did.
   */
  async headers(entryKeys: readonly string[]): Promise<(EntryHeader | null | undefined)[]> {
    const replies = await this.#headerReplies(entryKeys);
    const failure = replies.every(([error]) => error && !isWrongType(error)) && replies[0]?.[0];
    if (failure) throw failure;
    return replies.map(([error, bytes]) => {
      if (error && !isWrongType(error)) return undefined;
      return bytes instanceof Buffer ? decodeHeader(bytes) : null;
    });
  }

  async #headerReplies(entryKeys: readonly string[]): Promise<[Error | null, unknown?][]> {
    const end = HEADER_BYTES - 1;
    if (!isCluster(this.#redis)) {
      const pipeline = this.#redis.pipeline();
      for (const entryKey of entryKeys) pipeline.getrangeBuffer(entryKey, 0, end);
      return (await pipeline.exec()) ?? [];
    }
    const redis = this.#redis;
    return Promise.all(
      entryKeys.map((entryKey) => {
        sendTogether(redis, entryKey);
        return redis.getrangeBuffer(entryKey, 0, end).then(
          (bytes): [null, Buffer] => [null, bytes],
          (error: Error): [Error] => [error],
        );
      }),
    );
  }
}

function outcomeText({ outcome, atMs }: Ended): string {
  return `${atMs.toFixed(3)} ${JSON.stringify(outcome)}`;
}

// A key of another Redis type under our name is a miss like any other foreign bytes.
function isWrongType(error: Error): boolean {
  return error.message.startsWith('WRONGTYPE');
}
