import type { Smoothed } from '../policy/load-time.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';

/** What the fleet knows of a loader: shared by its workers and schedulers, lost without harm. */
export interface LoaderStats {
  readonly load: Smoothed | null;
  readonly wait: Smoothed | null;
  /** Instant of the last queue wait seen, epoch ms. */
  readonly waitAtMs: number;
  /** Keys enqueued and keys workers are done with, ever: their difference is outstanding. */
  readonly enqueuedKeys: number;
  readonly finishedKeys: number;
}

export const LOADER_STATS_EXPIRE_SECONDS: number = 8 * 24 * 3_600;

export class LoaderStatsStore {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: Keys, loader: NamedLoader) {
    this.#redis = redis;
    this.#key = keys.stats(loader);
  }

  async read(): Promise<LoaderStats> {
    const fields = await this.#redis.hgetall(this.#key);
    return {
      load: smoothed(fields.loadMs, fields.loadDeviationMs),
      wait: smoothed(fields.waitMs, fields.waitDeviationMs),
      waitAtMs: Number(fields.waitAtMs ?? 0),
      enqueuedKeys: Number(fields.enqueuedKeys ?? 0),
      finishedKeys: Number(fields.finishedKeys ?? 0),
    };
  }

  async writeTimes(times: {
    readonly load: Smoothed | null;
    readonly wait: Smoothed;
    readonly waitAtMs: number;
  }): Promise<void> {
    const fields: Record<string, number> = {
      waitMs: times.wait.meanMs,
      waitDeviationMs: times.wait.deviationMs,
      waitAtMs: times.waitAtMs,
    };
    if (times.load) {
      fields.loadMs = times.load.meanMs;
      fields.loadDeviationMs = times.load.deviationMs;
    }
    await this.#redis
      .pipeline()
      .hset(this.#key, fields)
      .expire(this.#key, LOADER_STATS_EXPIRE_SECONDS)
      .exec();
  }

  addEnqueued(keys: number): Promise<void> {
    return this.#count('enqueuedKeys', keys);
  }

  addFinished(keys: number): Promise<void> {
    return this.#count('finishedKeys', keys);
  }

  async #count(field: 'enqueuedKeys' | 'finishedKeys', keys: number): Promise<void> {
    const pipeline = this.#redis.pipeline().hincrby(this.#key, field, keys);
    const replies = await pipeline.expire(this.#key, LOADER_STATS_EXPIRE_SECONDS).exec();
    for (const [error] of replies ?? []) if (error) throw error;
  }
}

function smoothed(mean: string | undefined, deviation: string | undefined): Smoothed | null {
  if (mean === undefined || deviation === undefined) return null;
  return { meanMs: Number(mean), deviationMs: Number(deviation) };
}
