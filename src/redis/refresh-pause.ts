import { withinTimeout } from './connection.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * Whether the fleet refreshes a loader's keys. A key of its own that never expires: somebody who paused
 * a loader for its origin's sake must not find it running again because a counter's life was over.
 */
export class RefreshPause {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: Keys, loader: NamedLoader) {
    this.#redis = redis;
    this.#key = keys.pause(loader);
  }

  /** Answers whether it was not paused before. */
  async begin(nowMs: number): Promise<boolean> {
    const set = this.#redis.set(this.#key, Math.floor(nowMs), 'NX');
    return (await withinTimeout(set, `setting ${this.#key}`)) === 'OK';
  }

  /** Answers whether it was paused. */
  async end(): Promise<boolean> {
    return (await withinTimeout(this.#redis.del(this.#key), `removing ${this.#key}`)) === 1;
  }

  /** Since when, epoch ms; null: not paused. */
  async sinceAtMs(): Promise<number | null> {
    const text = await withinTimeout(this.#redis.get(this.#key), `reading ${this.#key}`);
    return text === null ? null : Number(text);
  }
}
