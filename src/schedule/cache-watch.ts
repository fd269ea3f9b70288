import { evictedKeys } from '../redis/evicted-keys.ts';
import type { Keys } from '../redis/keys.ts';
import {
  addressOf,
  isCluster,
  mastersOf,
  nodeOf,
  type RedisClient,
} from '../redis/redis-client.ts';

/** What the scheduler has to know of the cache server as a whole. */
export interface CacheHealth {
  /** It has evicted since the last look: what is loaded again now only evicts something else. */
  readonly isEvicting: boolean;
  /** It was wiped since the last look, as far as this scheduler is the first to notice. */
  readonly wasWiped: boolean;
}

/**
 * Looks after the cache server: a canary key that is gone tells a wipe (a restart, FLUSHALL, a failover
 * to an empty replica), and whoever sets it again is the one scheduler that acts on it. On a cluster each
 * master has a canary of its own.
 */
export class CacheWatch {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  #evictedKeys: number | null = null;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Whether it was wiped since anybody's last look: the part of `look` that is cheap. Rejects when a server does not answer. */
  async wasWiped(): Promise<boolean> {
    const canaries = this.#canaries().map((canary) => this.#redis.set(canary, '1', 'NX'));
    return (await Promise.all(canaries)).includes('OK');
  }

  /** Rejects when a server does not answer. */
  async look(): Promise<CacheHealth> {
    const [wasWiped, evicted] = await Promise.all([this.wasWiped(), evictedKeys(this.#redis)]);
    const isEvicting = this.#evictedKeys !== null && evicted > this.#evictedKeys;
    this.#evictedKeys = evicted;
    return { isEvicting, wasWiped };
  }

  /** For each master of a cluster the first canary that belongs to it. */
  #canaries(): readonly string[] {
    if (!isCluster(this.#redis)) return [this.#keys.canary()];
    const missing = new Set(mastersOf(this.#redis).map(addressOf));
    const found: string[] = [];
    for (let tag = 0; missing.size > 0 && tag < TAGS_TRIED; tag++) {
      const canary = this.#keys.canary(tag);
      if (missing.delete(nodeOf(this.#redis, canary))) found.push(canary);
    }
    return found;
  }
}

/** Enough for a master that owns one slot in a thousand; one that owns fewer is not watched. */
const TAGS_TRIED = 5_000;
