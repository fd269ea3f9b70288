import type { Smoothed } from '../policy/load-time.ts';
import type { Lives, WasteControl } from '../policy/waste.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { type ScriptClient, scriptClient } from './scripts.ts';

/** What the fleet knows of a loader: shared by its workers and schedulers, lost without harm. */
export interface LoaderStats {
  readonly load: Smoothed | null;
  readonly wait: Smoothed | null;
  /** Instant of the last queue wait seen, epoch ms. */
  readonly waitAtMs: number;
  /** Keys enqueued and keys workers are done with, ever: their difference is outstanding. */
  readonly enqueuedKeys: number;
  readonly finishedKeys: number;
  /** Lives of refreshed entries that are over, ever. */
  readonly judged: Lives;
  /** The threshold that follows waste; null until it was moved for the first time. */
  readonly waste: WasteControl | null;
}

export const LOADER_STATS_EXPIRE_SECONDS: number = 8 * 24 * 3_600;
/** One scheduler moves the threshold, at most so often. */
const MOVE_LEASE_MS = 1_000;

export class LoaderStatsStore {
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #key: string;

  constructor(redis: RedisClient, keys: Keys, loader: NamedLoader) {
    this.#redis = redis;
    this.#scripts = scriptClient(redis);
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
      judged: lives(fields.usedLives, fields.wastedLives),
      waste: wasteControl(fields),
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
    return this.#count({ enqueuedKeys: keys });
  }

  addFinished(keys: number): Promise<void> {
    return this.#count({ finishedKeys: keys });
  }

  /** Lives that have ended since the last call. */
  async addJudged({ used, wasted }: Lives): Promise<void> {
    if (used + wasted > 0) await this.#count({ usedLives: used, wastedLives: wasted });
  }

  /** Answers whether the threshold is as in `next` now: it is not if anybody has moved it since `previous`. */
  async moveThreshold(
    previous: WasteControl | null,
    next: WasteControl,
    nowMs: number,
  ): Promise<boolean> {
    const seen = previous?.counted ?? { used: 0, wasted: 0 };
    const args = [
      this.#key,
      nowMs,
      MOVE_LEASE_MS,
      LOADER_STATS_EXPIRE_SECONDS,
      seen.used,
      seen.wasted,
    ];
    args.push(next.threshold, next.recent.used, next.recent.wasted);
    args.push(next.counted.used, next.counted.wasted);
    return (await this.#scripts.run('moveThreshold', args)) === 1;
  }

  async #count(counts: Readonly<Record<string, number>>): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const [field, count] of Object.entries(counts)) pipeline.hincrby(this.#key, field, count);
    const replies = await pipeline.expire(this.#key, LOADER_STATS_EXPIRE_SECONDS).exec();
    for (const [error] of replies ?? []) if (error) throw error;
  }
}

function lives(used: string | undefined, wasted: string | undefined): Lives {
  return { used: Number(used ?? 0), wasted: Number(wasted ?? 0) };
}

function wasteControl(fields: Readonly<Record<string, string>>): WasteControl | null {
  if (fields.threshold === undefined) return null;
  return {
    threshold: Number(fields.threshold),
    recent: lives(fields.recentUsed, fields.recentWasted),
    counted: lives(fields.countedUsed, fields.countedWasted),
  };
}

function smoothed(mean: string | undefined, deviation: string | undefined): Smoothed | null {
  if (mean === undefined || deviation === undefined) return null;
  return { meanMs: Number(mean), deviationMs: Number(deviation) };
}
