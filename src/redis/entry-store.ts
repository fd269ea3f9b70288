import { DEFAULTS } from '../config/defaults.ts';
import { BatchedScript, MOST_TOGETHER } from './batched-script.ts';
import type { Breakers } from './breakers.ts';
import { withinTimeout } from './connection.ts';
import type { EntryHeader } from './entry.ts';
import { readHeaders } from './entry-headers.ts';
import {
  type Acquired,
  type CommitReply,
  commitArguments,
  type Ended,
  type EntryPlace,
  endArguments,
  keysOf,
  type LockRequest,
  lockArguments,
  OUTCOME_TTL_MS,
  outcomeText,
  type StoredEntry,
  toAcquired,
  toCommitReply,
  type Unknown,
} from './fence.ts';
import { hashSlot } from './hash-slot.ts';
import { isCluster, nodeOf, type RedisClient } from './redis-client.ts';
import { type ScriptArgument, type ScriptClient, scriptClient } from './scripts.ts';

export interface EntryStoreOptions {
  /** Longest wait for the answer to `acquire`. @defaultValue that of a write */
  readonly acquireTimeoutMs?: number;
  /** While a node's is open, `acquire` rejects at once. */
  readonly breakers?: Breakers;
}

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
    const [reply] = await this.#ask([place], request, [request.seenCreatedAtMs]);
    return reply as Acquired;
  }

  /** As `acquire` for each key, with the createdAt that was seen of it, in few commands. Never rejects. */
  async acquireAll(
    places: readonly EntryPlace[],
    request: Omit<LockRequest, 'seenCreatedAtMs'>,
    seenCreatedAtMs: readonly number[],
  ): Promise<readonly (Acquired | Unknown)[]> {
    const parts: Promise<readonly (Acquired | Unknown)[]>[] = [];
    const size = this.togetherAtMost;
    for (let from = 0; from < places.length; from += size) {
      const some = places.slice(from, from + size);
      const asked = this.#ask(some, request, seenCreatedAtMs.slice(from, from + size));
      parts.push(asked.catch((error: unknown) => some.map(() => unknown(error))));
    }
    return (await Promise.all(parts)).flat();
  }

  /** How many keys share a command: on a cluster each is in a slot of its own. */
  get togetherAtMost(): number {
    return isCluster(this.#redis) ? 1 : MOST_TOGETHER;
  }

  async #ask(
    places: readonly EntryPlace[],
    request: Omit<LockRequest, 'seenCreatedAtMs'>,
    seenCreatedAtMs: readonly number[],
  ): Promise<readonly Acquired[]> {
    const { entryKey = '' } = places[0] ?? {};
    // Reads probe: asking for a lock is never worth a wait for a server that is probably away.
    const breaker = this.#breakers?.ofKey(entryKey);
    if (breaker?.isClosed === false) throw breaker.refusal;
    const { token, withinMs } = request;
    try {
      const args = lockArguments(request, seenCreatedAtMs);
      const asked = this.#acquires.call(keysOf(places), args, places.length);
      const what = `locking ${entryKey}`;
      const replies = await (withinMs === undefined ? asked : withinTimeout(asked, what, withinMs));
      return replies.map(toAcquired);
    } catch (error) {
      // Locks may have been granted with nobody to use them: give them back, after them on the same wire.
      for (const place of places) this.release(place, token, null).catch(() => undefined);
      throw error;
    }
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
    const args = 'bytes' in made ? commitArguments(token, [made]) : endArguments(token, made);
    const [reply] = await this.#commit([place], args);
    return toCommitReply(reply);
  }

  /** As `commit` of an entry for each key, at most `togetherAtMost`: what fails fails for all of them. */
  async commitTogether(
    places: readonly EntryPlace[],
    token: string,
    entries: readonly StoredEntry[],
  ): Promise<readonly CommitReply[]> {
    const replies = await this.#commit(places, commitArguments(token, entries));
    return replies.map(toCommitReply);
  }

  #commit(
    places: readonly EntryPlace[],
    args: readonly ScriptArgument[],
  ): Promise<readonly unknown[]> {
    const keys = keysOf(places);
    const send = () => this.#commits.call(keys, args, places.length);
    // The script knows its own entry when it finds it, so a commit whose reply was lost may go twice.
    return send().catch(send);
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
  headers(entryKeys: readonly string[]): Promise<(EntryHeader | null | undefined)[]> {
    return readHeaders(this.#redis, this.#scripts, entryKeys);
  }
}

function unknown(error: unknown): Unknown {
  return { kind: 'unknown', error };
}
