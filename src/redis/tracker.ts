import { fadedBelow, halfLifeMs } from '../policy/heat.ts';
import { withinTimeout } from './connection.ts';
import type { Keys, NamedLoader, TrackerKeys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptArgument, type ScriptClient, scriptClient } from './scripts.ts';

export interface TrackedLoader extends NamedLoader {
  readonly ttlMs: number;
}

export interface AccessRecord {
  readonly key: string;
  /** How often it was read; a sampled key weighs more than it was. */
  readonly reads: number;
  /** Expiry of its entry as seen, epoch ms; 0 where none was seen. */
  readonly expiresAtMs: number;
  /** All reads were of a process's own copy: the entry may have been refreshed, and live longer. */
  readonly isOfCopy?: boolean;
}

export interface Claim {
  /** Names the claim: dues are changed only while they equal it. */
  readonly untilMs: number;
  readonly keys: readonly ClaimedKey[];
  /** When the tracker began to count reads, epoch ms; null when it is empty. */
  readonly bornAtMs: number | null;
  /** When the next key is due, epoch ms; null when none is tracked. */
  readonly nextDueAtMs: number | null;
}

export interface ClaimedKey {
  readonly key: string;
  readonly logHeat: number | null;
  /** What its due said: an earlier claim ran out (its job died or came too late), or a backoff did. */
  readonly after: 'look' | 'lost-claim' | 'backoff';
}

export interface Rearmed {
  readonly key: string;
  /** When to look next, epoch ms; null untracks. */
  readonly dueAtMs: number | null;
  readonly failure: Failure | null;
  /** Without having failed it waits as in a backoff: reads do not bring its due forward. */
  readonly isPostponed?: boolean;
}

export interface Failure {
  readonly attempts: number;
  readonly error: string;
  readonly retryAtMs: number;
}

const RECORD_CHUNK = 500;
const TRIM_CHUNK = 1_000;
const LIVES_TRACKED = 20;
const FROZEN_SECONDS = 86_400;
const HOTTEST_PAGE = 1_000;
/** What is left of the claim of a key that was invalidated: enough for most refreshes to land. */
const CLAIM_LEFT_MS = 500;

/** The tracker of one loader on the queue server: heat, dues, failures. Soft state: reads rebuild it. */
export class Tracker {
  readonly halfLifeMs: number;
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #keys: TrackerKeys;
  readonly #expireSeconds: number;

  constructor(redis: RedisClient, keys: Keys, loader: TrackedLoader) {
    this.halfLifeMs = halfLifeMs(loader.ttlMs);
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
    this.#keys = keys.tracker(loader, this.halfLifeMs);
    this.#expireSeconds = Math.ceil((LIVES_TRACKED * this.halfLifeMs) / 1_000);
  }

  /** The key that names the node of this tracker. */
  get heatKey(): string {
    return this.#keys.heat;
  }

  /** Adds reads to the heat and plans first looks, at most 500 keys a call of the script. */
  async record(
    records: readonly AccessRecord[],
    at: { readonly nowMs: number; readonly lookAheadMs: number },
  ): Promise<void> {
    for (let from = 0; from < records.length; from += RECORD_CHUNK) {
      const args: ScriptArgument[] = [this.#keys.heat, this.#keys.due, this.#keys.born];
      args.push(at.nowMs, this.halfLifeMs, at.lookAheadMs, this.#expireSeconds);
      for (const { key, reads, expiresAtMs, isOfCopy } of records.slice(
        from,
        from + RECORD_CHUNK,
      )) {
        const expiry = Math.ceil(expiresAtMs);
        args.push(key, reads, isOfCopy ? -expiry : expiry);
      }
      const { heat } = this.#keys;
      await withinTimeout(this.#scripts.run('recordAccess', args), `recording reads in ${heat}`);
    }
  }

  /** Claims up to `limit` due keys until now + `claimTtlMs`. */
  async claim(at: {
    readonly nowMs: number;
    readonly claimTtlMs: number;
    readonly limit: number;
  }): Promise<Claim> {
    const untilMs = Math.floor(at.nowMs + at.claimTtlMs) + 0.5;
    const { heat, due, born } = this.#keys;
    const args = [heat, due, born, at.nowMs, untilMs, at.limit];
    const reply = (await this.#scripts.run('claimDue', args)) as string[];
    const [nextDue, bornAt, ...claimed] = reply;
    const keys: ClaimedKey[] = [];
    for (let at = 0; at + 2 < claimed.length; at += 3) {
      const logHeat = claimed[at + 1];
      keys.push({
        key: claimed[at] ?? '',
        logHeat: logHeat ? Number(logHeat) : null,
        after: AFTER[claimed[at + 2] ?? ''] ?? 'look',
      });
    }
    return {
      untilMs,
      keys,
      bornAtMs: bornAt ? Number(bornAt) : null,
      nextDueAtMs: nextDue ? Number(nextDue) : null,
    };
  }

  /** Ends the claim on keys that were not enqueued: when to look next, or null to forget. */
  async settle(claim: Claim, dues: ReadonlyMap<string, number | null>): Promise<void> {
    if (dues.size === 0) return;
    const args: ScriptArgument[] = [this.#keys.due, this.#keys.failing, claim.untilMs];
    for (const [key, dueAtMs] of dues) args.push(key, dueAtMs === null ? '' : Math.floor(dueAtMs));
    await this.#scripts.run('settle', args);
  }

  /** Ends the claims of keys a worker is done with. */
  async rearm(keys: readonly Rearmed[]): Promise<void> {
    if (keys.length === 0) return;
    const args: ScriptArgument[] = [this.#keys.due, this.#keys.failing, this.#expireSeconds];
    for (const { key, dueAtMs, failure, isPostponed = failure !== null } of keys) {
      // The fraction marks a backoff: reads do not bring it forward.
      const due = dueAtMs === null ? '' : Math.floor(dueAtMs) + (isPostponed ? 0.25 : 0);
      args.push(key, due, failure ? JSON.stringify(failure) : '');
    }
    await this.#scripts.run('rearm', args);
  }

  /** How often each key's refresh has failed in a row. */
  async failedAttempts(keys: readonly string[]): Promise<number[]> {
    if (keys.length === 0) return [];
    const texts = await this.#redis.hmget(this.#keys.failing, ...keys);
    return texts.map(attemptsOf);
  }

  /** Makes the hottest keys due now, hottest first. */
  async wakeHottest(nowMs: number, count: number): Promise<void> {
    await this.#scripts.run('wakeHottest', [this.#keys.heat, this.#keys.due, nowMs, count]);
  }

  /** The hottest keys that have not faded, hottest first. */
  hottestNow(count: number, nowMs: number): Promise<string[]> {
    const { heat } = this.#keys;
    const faded = fadedBelow({ nowMs, halfLifeMs: this.halfLifeMs });
    const hottest = this.#redis.zrevrangebyscore(heat, '+inf', faded, 'LIMIT', 0, count);
    return withinTimeout(hottest, `reading ${heat}`);
  }

  /** How many of the `count` hottest there are. */
  async countHottest(count: number): Promise<number> {
    return Math.min(count, await this.#redis.zcard(this.#keys.heat));
  }

  /**
   * The hottest keys, hottest first. With a name, as they were when they were first asked for under that:
   * whoever asks again within a day gets the same.
   */
  async *hottest(count: number, name: string | null): AsyncGenerator<string> {
    const { heat } = this.#keys;
    const from = name === null ? heat : await this.#freeze(count, name);
    for (let first = 0; first < count; first += HOTTEST_PAGE) {
      const last = Math.min(count, first + HOTTEST_PAGE) - 1;
      const page = this.#redis.zrevrange(from, first, last);
      const keys = await withinTimeout(page, `reading ${from}`);
      yield* keys;
      if (keys.length < HOTTEST_PAGE) return;
    }
  }

  /** Makes those of the keys that are tracked due now, at most 500 keys a call of the script. */
  async lookNow(keys: readonly string[], nowMs: number): Promise<void> {
    for (let from = 0; from < keys.length; from += RECORD_CHUNK) {
      const chunk = keys.slice(from, from + RECORD_CHUNK);
      const { heat, due } = this.#keys;
      const args = [heat, due, nowMs, CLAIM_LEFT_MS, this.#expireSeconds, ...chunk];
      await withinTimeout(this.#scripts.run('lookNow', args), `looking at keys of ${heat}`);
    }
  }

  async #freeze(count: number, name: string): Promise<string> {
    const { heat } = this.#keys;
    const frozen = `${heat}:at:${name}`;
    if ((await withinTimeout(this.#redis.exists(frozen), `looking for ${frozen}`)) === 0) {
      const freezing = this.#redis.zrangestore(frozen, heat, 0, count - 1, 'REV');
      await withinTimeout(freezing, `writing ${frozen}`);
      await this.#redis.expire(frozen, FROZEN_SECONDS);
    }
    return frozen;
  }

  /** Removes a chunk of faded keys, or of the coldest over `maxKeys`; answers whether more may follow. */
  async trim(nowMs: number, maxKeys: number): Promise<boolean> {
    const faded = fadedBelow({ nowMs, halfLifeMs: this.halfLifeMs });
    const args = [this.#keys.heat, this.#keys.due, faded, maxKeys, TRIM_CHUNK];
    return (await this.#scripts.run('trimTracker', args)) === TRIM_CHUNK;
  }
}

const AFTER: Readonly<Record<string, ClaimedKey['after']>> = { '1': 'lost-claim', '2': 'backoff' };

function attemptsOf(failure: string | null): number {
  try {
    return failure === null ? 0 : (JSON.parse(failure) as Failure).attempts;
  } catch {
    return 0;
  }
}
