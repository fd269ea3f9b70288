import type { Keys, NamedLoader } from './keys.ts';
import { LOADER_STATS_EXPIRE_SECONDS } from './loader-stats.ts';
import type { RedisClient } from './redis-client.ts';

/** How often a role says that it is there. */
export const BEAT_MS = 5_000;

/** Who was last seen at work for a loader, epoch ms; null: never, or too long ago. */
export interface Seen {
  readonly schedulerAtMs: number | null;
  /** A scheduler that only reports what it would do. */
  readonly shadowAtMs: number | null;
  readonly workerAtMs: number | null;
  /** Shortest time between two ticks of the last scheduler seen. */
  readonly tickMs: number | null;
}

/** The fields of a role's sign of life. */
export type Beat = Partial<Record<keyof Seen, number>>;

/** Signs of life of the fleet's schedulers and workers, in the loader's stats: for explanations, never for decisions. */
export class Presence {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: Keys, loader: NamedLoader) {
    this.#redis = redis;
    this.#key = keys.stats(loader);
  }

  /** Never rejects: the next beat comes. */
  async beat(fields: Beat): Promise<void> {
    const pipeline = this.#redis.pipeline().hset(this.#key, fields);
    await pipeline
      .expire(this.#key, LOADER_STATS_EXPIRE_SECONDS)
      .exec()
      .catch(() => undefined);
  }

  async read(): Promise<Seen> {
    const names = ['schedulerAtMs', 'shadowAtMs', 'workerAtMs', 'tickMs'] as const;
    const [schedulerAtMs, shadowAtMs, workerAtMs, tickMs] = (
      await this.#redis.hmget(this.#key, ...names)
    ).map((text) => (text === null ? null : Number(text)));
    return {
      schedulerAtMs: schedulerAtMs ?? null,
      shadowAtMs: shadowAtMs ?? null,
      workerAtMs: workerAtMs ?? null,
      tickMs: tickMs ?? null,
    };
  }
}
