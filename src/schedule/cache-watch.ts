import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';

/** What the scheduler has to know of the cache server as a whole. */
export interface CacheHealth {
  /** It has evicted since the last look: what is loaded again now only evicts something else. */
  readonly isEvicting: boolean;
  /** It was wiped since the last look, as far as this scheduler is the first to notice. */
  readonly wasWiped: boolean;
}

/**
 * Looks after the cache server: a canary key that is gone tells a wipe (a restart, FLUSHALL, a failover
 * to an empty replica), and whoever sets it again is the one scheduler that acts on it.
 */
export class CacheWatch {
  readonly #redis: Redis;
  readonly #canary: string;
  #evictedKeys: number | null = null;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#canary = keys.canary();
  }

  async look(): Promise<CacheHealth> {
    const [created, stats] = await Promise.all([
      this.#redis.set(this.#canary, '1', 'NX'),
      this.#redis.info('stats'),
    ]);
    const evictedKeys = Number(/evicted_keys:(\d+)/.exec(stats)?.[1] ?? 0);
    const isEvicting = this.#evictedKeys !== null && evictedKeys > this.#evictedKeys;
    this.#evictedKeys = evictedKeys;
    return { isEvicting, wasWiped: created === 'OK' };
  }
}
