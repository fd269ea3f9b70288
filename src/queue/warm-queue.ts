import type { Queue } from 'bullmq';
import { LOWEST_PRIORITY } from '../policy/batching.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { JOB_OPTIONS, openQueue, type QueuedLoader } from './refresh-queue.ts';
import type { WarmJobData } from './warm-job.ts';

/** Behind all refreshes. */
const WARM_PRIORITY = LOWEST_PRIORITY + 1;
const JOB_NAME = 'warm';
/** No run's id contains it. */
const IN_ID = '~';

/** A job to enqueue. */
export interface WarmJob {
  readonly id: string;
  readonly data: WarmJobData;
}

/** Whether a worker is on a job, may still come to it, or never will. */
export type WarmJobState = 'active' | 'waiting' | 'over';

/** The queue of one loader, from the warmer's side. All reject when Redis fails. */
export class WarmQueue {
  readonly #queue: Queue;

  constructor(connection: RedisClient, keys: Keys, loader: QueuedLoader) {
    this.#queue = openQueue(connection, keys, loader);
  }

  /** The name of a run's job: of several attempts of a run, each has a mark of its own. */
  static idOf(runId: string, mark: string, count: number): string {
    return [JOB_NAME, runId, mark, count].join(IN_ID);
  }

  async enqueue(jobs: readonly WarmJob[], priority: number | null): Promise<void> {
    const opts = { ...JOB_OPTIONS, priority: priority ?? WARM_PRIORITY };
    await this.#queue.addBulk(
      jobs.map(({ id, data }) => ({ name: JOB_NAME, data, opts: { ...opts, jobId: id } })),
    );
  }

  /** Removes the jobs that no worker has begun. */
  async remove(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#queue.remove(id)));
  }

  /** What earlier attempts of a run have left behind that no worker has begun. */
  async leftOver(runId: string): Promise<string[]> {
    const ids = await this.#queue.getRanges(['prioritized', 'delayed', 'waiting'], 0, -1);
    return ids.filter((id) => id.startsWith([JOB_NAME, runId, ''].join(IN_ID)));
  }

  async states(ids: readonly string[]): Promise<ReadonlyMap<string, WarmJobState>> {
    const states = await Promise.all(ids.map((id) => this.#queue.getJobState(id)));
    return new Map(ids.map((id, at) => [id, STATES[states[at] ?? 'unknown'] ?? 'waiting']));
  }

  close(): Promise<void> {
    return this.#queue.close();
  }
}

/** All others are waiting. */
const STATES: Readonly<Record<string, WarmJobState>> = {
  active: 'active',
  // Put off by the worker that had it.
  delayed: 'active',
  completed: 'over',
  failed: 'over',
  unknown: 'over',
};
