import type { DefaultJobOptions, Queue } from 'bullmq';
import type { Tracing } from '../core/tracing.ts';
import { MOST_JOB_BYTES, packSizes, urgencyPriority } from '../policy/batching.ts';
import type { Keys, NamedLoader } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { openJobQueue } from './open-job-queue.ts';
import type { RefreshJobData, RefreshJobResult, RefreshKey } from './refresh-job.ts';

/** A key worth refreshing now. */
export interface Refresh extends RefreshKey {
  /** 0: there is no entry to answer from meanwhile. */
  readonly expiresAtMs: number;
  /** Its last job was lost: in a job of its own it can hurt no other key. */
  readonly isAlone: boolean;
}

/** A loader, and whose spans its jobs belong to. */
export interface QueuedLoader extends NamedLoader {
  /** Null or absent: nobody traces. */
  readonly tracing?: Tracing | null;
}

export interface Batch {
  readonly nowMs: number;
  /** The end of the claim on these keys. */
  readonly deadlineAtMs: number;
}

export const JOB_OPTIONS: Readonly<DefaultJobOptions> = {
  attempts: 1,
  removeOnComplete: { count: 1_000, age: 3_600 },
  removeOnFail: { count: 1_000, age: 24 * 3_600 },
};

/** Name of a loader's jobs. */
const JOB_NAME = 'refresh';

/** The BullMQ queue of one loader, from the scheduler's side. */
export class RefreshQueue {
  /** As BullMQ has it: for dashboards. */
  readonly queue: Queue<RefreshJobData, RefreshJobResult>;
  readonly #loader: QueuedLoader;

  constructor(connection: RedisClient, keys: Keys, loader: QueuedLoader) {
    this.#loader = loader;
    this.queue = openQueue(connection, keys, loader);
  }

  /** Puts the keys into jobs of up to 100 and enqueues all; rejects when Redis fails. */
  async enqueue(refreshes: readonly Refresh[], batch: Batch): Promise<void> {
    const { name, version } = this.#loader;
    const jobs = pack(refreshes).map((keys) => ({
      name: JOB_NAME,
      data: {
        loader: name,
        version,
        reason: 'refresh' as const,
        enqueuedAtMs: Math.floor(batch.nowMs),
        deadlineAtMs: Math.floor(batch.deadlineAtMs),
        keys: keys.map(({ key }) => key),
        seen: keys.map(({ seenCreatedAtMs }) => seenCreatedAtMs),
        heat: keys.map(({ logHeat }) => logHeat),
        unread: keys.map(({ unreadLives }) => unreadLives),
      },
      opts: { ...JOB_OPTIONS, priority: priorityOf(keys, batch.nowMs) },
    }));
    await this.queue.addBulk(jobs);
  }

  /** Whether no job is waiting or running. */
  async isEmpty(): Promise<boolean> {
    const counts = await this.queue.getJobCounts('waiting', 'active', 'prioritized', 'delayed');
    return Object.values(counts).every((count) => count === 0);
  }

  close(): Promise<void> {
    return this.queue.close();
  }
}

/** A loader's queue as BullMQ sees it: for the scheduler, and for dashboards. */
export function openQueue(
  connection: RedisClient,
  keys: Keys,
  loader: QueuedLoader,
): Queue<RefreshJobData, RefreshJobResult> {
  const { name, tracing = null } = loader;
  return openJobQueue(name, connection, { prefix: keys.queuePrefix(loader), tracing });
}

function pack(refreshes: readonly Refresh[]): Refresh[][] {
  const jobs = refreshes.filter(({ isAlone }) => isAlone).map((refresh) => [refresh]);
  const shared = refreshes.filter(({ isAlone }) => !isAlone);
  const size = packSizes(shared.length);
  let job: Refresh[] = [];
  let bytes = 0;
  for (const refresh of shared) {
    const keyBytes = Buffer.byteLength(refresh.key);
    if (job.length === size || (job.length > 0 && bytes + keyBytes > MOST_JOB_BYTES)) {
      jobs.push(job);
      job = [];
      bytes = 0;
    }
    job.push(refresh);
    bytes += keyBytes;
  }
  if (job.length > 0) jobs.push(job);
  return jobs;
}

function priorityOf(keys: readonly Refresh[], nowMs: number): number {
  return urgencyPriority(Math.min(...keys.map(({ expiresAtMs }) => expiresAtMs)) - nowMs);
}
