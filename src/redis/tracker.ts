import type { HotKeys } from '../policy/expected-keys.ts';
import { fadedBelow, halfLifeMs, logHeatOf, recentReads } from '../policy/heat.ts';
import { type Claim, claimOf } from './claim.ts';
import { withinTimeout } from './connection.ts';
import { hottestKeys, hottestNow } from './hottest-keys.ts';
import type { Keys, NamedLoader, TrackerKeys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptArgument, type ScriptClient, scriptClient } from './scripts.ts';
import { type Failure, failureOf, lookAtKey, type TrackedKey } from './tracked-key.ts';

export interface TrackedLoader extends NamedLoader {
  readonly ttlMs: number;
  /** How far a caller's clock may be off the server's before it is not believed. @defaultValue 2 s */
  readonly mostSkewMs?: number;
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

export interface Rearmed {
  readonly key: string;
  /** When to look next, epoch ms; null untracks. */
  readonly dueAtMs: number | null;
  readonly failure: Failure | null;
  /** Without having failed it waits as in a backoff: reads do not bring its due forward. */
  readonly isPostponed?: boolean;
}

const MOST_SKEW_MS = 2_000;
const RECORD_CHUNK = 500;
const TRIM_CHUNK = 1_000;
const LIVES_TRACKED = 20;
/** What is left of the claim of a key that was invalidated: enough for most refreshes to land. */
const CLAIM_LEFT_MS = 500;

/** The tracker of one loader on the queue server: heat, dues, failures. Soft state: reads rebuild it. */
export class Tracker {
  readonly halfLifeMs: number;
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #keys: TrackerKeys;
  readonly #expireSeconds: number;
  readonly #mostSkewMs: number;

  constructor(redis: RedisClient, keys: Keys, loader: TrackedLoader) {
    this.halfLifeMs = halfLifeMs(loader.ttlMs);
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
    this.#keys = keys.tracker(loader, this.halfLifeMs);
    this.#mostSkewMs = loader.mostSkewMs ?? MOST_SKEW_MS;
    this.#expireSeconds = Math.ceil((LIVES_TRACKED * this.halfLifeMs) / 1_000);
  }

  /** The key that names the node of this tracker. */
  get heatKey(): string {
    return this.#keys.heat;
  }

  /**
   * Adds reads to the heat and plans first looks, at most 500 keys a call of the script; answers how many
   * keys were refused, because the tracker is full.
   */
  async record(
    records: readonly AccessRecord[],
    at: { readonly nowMs: number; readonly lookAheadMs: number },
  ): Promise<number> {
    const { heat, due, born, full } = this.#keys;
    let refused = 0;
    for (let from = 0; from < records.length; from += RECORD_CHUNK) {
      const args: ScriptArgument[] = [heat, due, born, full, ...this.#instant(at.nowMs)];
      args.push(this.halfLifeMs, at.lookAheadMs, this.#expireSeconds);
      for (const { key, reads, expiresAtMs, isOfCopy } of records.slice(
        from,
        from + RECORD_CHUNK,
      )) {
        const expiry = Math.ceil(expiresAtMs);
        args.push(key, reads, isOfCopy ? -expiry : expiry);
      }
      const asked = this.#scripts.run('recordAccess', args);
      const [, more = 0] = (await withinTimeout(asked, `recording reads in ${heat}`)) as number[];
      refused += more;
    }
    return refused;
  }

  /** Claims up to `limit` due keys until now + `claimTtlMs`. */
  async claim(at: {
    readonly nowMs: number;
    readonly claimTtlMs: number;
    readonly limit: number;
  }): Promise<Claim> {
    const { heat, due, born } = this.#keys;
    const args = [heat, due, born, ...this.#instant(at.nowMs), at.claimTtlMs, at.limit];
    return claimOf((await this.#scripts.run('claimDue', args)) as string[]);
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

  /** Makes the hottest keys due before all others, hottest first, after those that are passed over; answers whether more may follow. */
  async wakeHottest(nowMs: number, count: number, passedOver = 0): Promise<boolean> {
    const args = [this.#keys.heat, this.#keys.due, ...this.#instant(nowMs), count, passedOver];
    return (await this.#scripts.run('wakeHottest', args)) === count;
  }

  /** The hottest keys that have not faded, hottest first, with their recent reads. */
  async hottestNow(count: number, nowMs: number): Promise<HotKeys & { readonly reads: number[] }> {
    const at = { nowMs, halfLifeMs: this.halfLifeMs };
    const hottest = await hottestNow(this.#redis, this.#keys.heat, { count, ...at });
    return {
      keys: hottest.map(({ key }) => key),
      reads: hottest.map(({ logHeat }) => recentReads(logHeat, at)),
    };
  }

  /** How many of the `count` hottest there are. */
  async countHottest(count: number): Promise<number> {
    return Math.min(count, await this.#redis.zcard(this.#keys.heat));
  }

  /** The hottest keys, hottest first; with a name, as they were when they were first asked for under it. */
  hottest(count: number, name: string | null): AsyncGenerator<string> {
    return hottestKeys(this.#redis, this.#keys.heat, { count, name });
  }

  /** All that is known of one key; changes nothing. */
  lookAt(key: string): Promise<TrackedKey> {
    return lookAtKey(this.#redis, this.#keys, key);
  }

  /** Makes those of the keys that are tracked due now, at most 500 keys a call of the script. */
  async lookNow(keys: readonly string[], nowMs: number): Promise<void> {
    for (let from = 0; from < keys.length; from += RECORD_CHUNK) {
      const chunk = keys.slice(from, from + RECORD_CHUNK);
      const { heat, due } = this.#keys;
      const args = [heat, due, ...this.#instant(nowMs), CLAIM_LEFT_MS, this.#expireSeconds];
      await withinTimeout(
        this.#scripts.run('lookNow', [...args, ...chunk]),
        `looking at keys of ${heat}`,
      );
    }
  }

  /** Removes a chunk of faded keys, or of the coldest over `maxKeys`; answers whether more may follow. */
  async trim(nowMs: number, maxKeys: number): Promise<boolean> {
    const { halfLifeMs } = this;
    const { heat, due } = this.#keys;
    const faded = fadedBelow({ nowMs, halfLifeMs });
    const args = [heat, due, ...this.#instant(nowMs), halfLifeMs, faded, maxKeys, TRIM_CHUNK];
    return (await this.#scripts.run('trimTracker', args)) === TRIM_CHUNK;
  }

  /** Makes a chunk of keys due now whose due is farther off than that; answers whether more may follow. */
  async pullBack(farthestMs: number): Promise<boolean> {
    const args = [this.#keys.due, Math.ceil(farthestMs), TRIM_CHUNK];
    return (await this.#scripts.run('pullBackDues', args)) === TRIM_CHUNK;
  }

  /** How many keys are tracked. */
  count(): Promise<number> {
    return this.#redis.zcard(this.#keys.heat);
  }

  /** How many keys' last refresh has failed. */
  countFailing(): Promise<number> {
    return this.#redis.hlen(this.#keys.failing);
  }

  /** How many keys have at least so many recent reads. */
  countHotter(recentReads: number, nowMs: number): Promise<number> {
    const { halfLifeMs } = this;
    return this.#redis.zcount(
      this.#keys.heat,
      logHeatOf(recentReads, { nowMs, halfLifeMs }),
      '+inf',
    );
  }

  /** Memory that heats and dues take, as the server estimates it. */
  async bytes(): Promise<number> {
    const { heat, due } = this.#keys;
    const sizes = await Promise.all([heat, due].map((key) => this.#redis.memory('USAGE', key)));
    return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
  }

  /** For so long no key is taken in that is not tracked yet. */
  async refuseNew(forMs: number): Promise<void> {
    await this.#redis.set(this.#keys.full, '1', 'PX', forMs);
  }

  /** An instant as the scripts take it: with how far it may be off. */
  #instant(nowMs: number): [nowMs: number, mostSkewMs: number] {
    return [nowMs, this.#mostSkewMs];
  }
}

function attemptsOf(failure: string | null): number {
  return failureOf(failure)?.attempts ?? 0;
}
