import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';

/** What became of the keys of a warm-up's job, or of all its jobs. */
export interface WarmCounts {
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}

/** A run that nobody reads any more: its warmer has died, and the next attempt needs no reports of the last one. */
const EXPIRE_SECONDS = 3_600;

/** How workers tell the warmer what became of its jobs: once each, so that a job that ran twice counts once. */
export class WarmReports {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Rejects when Redis fails. */
  async add(
    loader: NamedLoader,
    { runId, jobId }: { readonly runId: string; readonly jobId: string },
    { done, skipped, failed }: WarmCounts,
  ): Promise<void> {
    const key = this.#keys.warm(loader, runId);
    const pipeline = this.#redis.pipeline().hsetnx(key, jobId, `${done} ${skipped} ${failed}`);
    const replies = await pipeline.expire(key, EXPIRE_SECONDS).exec();
    for (const [error] of replies ?? []) if (error) throw error;
  }

  /** The reports of these jobs, if they are there. Rejects when Redis fails. */
  async read(
    loader: NamedLoader,
    runId: string,
    jobIds: readonly string[],
  ): Promise<ReadonlyMap<string, WarmCounts>> {
    const texts = await this.#redis.hmget(this.#keys.warm(loader, runId), ...jobIds);
    const reports = new Map<string, WarmCounts>();
    for (const [at, jobId] of jobIds.entries()) {
      const text = texts[at];
      if (!text) continue;
      const [done = 0, skipped = 0, failed = 0] = text.split(' ').map(Number);
      reports.set(jobId, { done, skipped, failed });
    }
    return reports;
  }

  /** Forgets reports that were read. */
  async forget(loader: NamedLoader, runId: string, jobIds: readonly string[]): Promise<void> {
    await this.#redis.hdel(this.#keys.warm(loader, runId), ...jobIds);
  }
}
