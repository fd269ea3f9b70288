import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface PlainCacheOptions<V> {
  readonly redis: Redis;
  readonly namespace: string;
  readonly ttlMs: number;
  readonly load: (keyId: number) => Promise<V>;
}

export interface PlainResult<V> {
  readonly value: V;
  /** This read loaded from the origin, or waited for somebody who did. */
  readonly waited: boolean;
}

/** Longer than the slowest load of the trace (3.3 s as recorded): a lock runs out only under a dead holder. */
const LOCK_TTL_MS = 10_000;
const FIRST_POLL_MS = 2;
const LONGEST_POLL_MS = 25;

/** Deletes the lock only if it is still ours: it may have run out and belong to another by now. */
const RELEASE =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/**
 * Cache-aside as it is done well without a refresher, and what Everwarm has to beat: one round trip
 * for a hit; misses coalesced in the process, and by a lock across processes.
 */
export class PlainCache<V> {
  readonly #options: PlainCacheOptions<V>;
  readonly #flights = new Map<number, Promise<PlainResult<V>>>();

  constructor(options: PlainCacheOptions<V>) {
    this.#options = options;
  }

  async get(keyId: number): Promise<PlainResult<V>> {
    const value = await this.#stored(keyId);
    if (value !== undefined) return { value, waited: false };

    let flight = this.#flights.get(keyId);
    if (!flight) {
      flight = this.#loadOnce(keyId).finally(() => this.#flights.delete(keyId));
      this.#flights.set(keyId, flight);
    }
    return flight;
  }

  async #loadOnce(keyId: number): Promise<PlainResult<V>> {
    const { redis } = this.#options;
    const lockKey = `${this.#key(keyId)}:lock`;
    const token = randomUUID();
    let waited = false;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS)) {
      if (await redis.set(lockKey, token, 'PX', LOCK_TTL_MS, 'NX')) {
        try {
          // Somebody's load may have landed between our miss and our lock.
          const landed = await this.#stored(keyId);
          if (landed !== undefined) return { value: landed, waited };
          return { value: await this.#load(keyId), waited: true };
        } finally {
          await redis.eval(RELEASE, 1, lockKey, token);
        }
      }
      waited = true;
      await sleep(pollMs * (0.5 + Math.random()));
      const value = await this.#stored(keyId);
      if (value !== undefined) return { value, waited };
    }
  }

  async #load(keyId: number): Promise<V> {
    const { redis, load, ttlMs } = this.#options;
    const value = await load(keyId);
    await redis.set(this.#key(keyId), JSON.stringify(value), 'PX', ttlMs);
    return value;
  }

  async #stored(keyId: number): Promise<V | undefined> {
    const text = await this.#options.redis.get(this.#key(keyId));
    return text === null ? undefined : (JSON.parse(text) as V);
  }

  #key(keyId: number): string {
    return `${this.#options.namespace}:dns:${keyId}`;
  }
}
