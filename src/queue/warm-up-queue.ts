import type { Job, Queue } from 'bullmq';
import type { Tracing } from '../core/tracing.ts';
import { withinTimeout } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { openJobQueue } from './open-job-queue.ts';
import {
  isWarmUpJob,
  progressOf,
  type RunProgress,
  type WarmUpJobData,
  type WarmUpJobResult,
} from './warm-up-job.ts';

/** A run as its job tells it. */
export interface QueuedRun {
  readonly runId: string;
  readonly plan: string;
  readonly startAtMs: number;
  readonly peakAtMs: number | null;
  readonly state: 'waiting' | 'running' | 'completed' | 'failed';
  readonly progress: RunProgress | null;
  readonly result: WarmUpJobResult | null;
  readonly error: string | null;
}

/** Name of the queue. */
export const WARM_UPS = 'warm-ups';

const KEPT_SECONDS = 8 * 86_400;
const MOST_KEPT = 20_000;
/** Longer than any catch-up: who looks for the same fire later finds its job, and adds no other. */
const KEPT = { age: KEPT_SECONDS, count: MOST_KEPT } as const;
const MOST_LISTED = 100;

/** The one queue of the namespace's warm-up runs: each is a job, named by its plan and fire. */
export class WarmUpQueue {
  readonly #queue: Queue<WarmUpJobData, WarmUpJobResult>;

  constructor(connection: RedisClient, keys: Keys, tracing: Tracing | null = null) {
    this.#queue = openWarmUpQueue(connection, keys, tracing);
  }

  /** Adds a run; nothing if there is, or was within 8 days, one of that id. */
  async add(runId: string, data: WarmUpJobData): Promise<void> {
    const adding = this.#queue.add(data.plan, data, {
      jobId: runId,
      attempts: 1,
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    });
    await withinTimeout(adding, `adding run ${runId}`);
  }

  async run(runId: string): Promise<QueuedRun | null> {
    const job = await withinTimeout(this.#queue.getJob(runId), `asking for run ${runId}`);
    if (!job) return null;
    return toRun(job, await withinTimeout(job.getState(), `asking for run ${runId}`));
  }

  /** Runs under way and runs that wait, 100 of each at most. */
  async unfinished(): Promise<QueuedRun[]> {
    const states = ['active', 'waiting', 'delayed'] as const;
    const lists = await withinTimeout(
      Promise.all(states.map((state) => this.#queue.getJobs([state], 0, MOST_LISTED - 1))),
      'asking for runs',
    );
    return lists.flatMap((jobs, at) =>
      jobs.filter(isRun).map((job) => toRun(job, states[at] ?? '')),
    );
  }

  /** The runs that have ended and are still known, the latest first. */
  async ended(count: number): Promise<QueuedRun[]> {
    const states = ['completed', 'failed'] as const;
    const lists = await withinTimeout(
      Promise.all(states.map((state) => this.#queue.getJobs([state], 0, count - 1))),
      'asking for ended runs',
    );
    const runs = lists.flatMap((jobs, at) =>
      jobs
        .filter(isRun)
        .map((job) => ({ at: job.finishedOn ?? 0, run: toRun(job, states[at] ?? '') })),
    );
    return runs
      .sort((one, other) => other.at - one.at)
      .slice(0, count)
      .map(({ run }) => run);
  }

  /** Whether any process takes runs; as far as this user may ask. */
  async isServed(): Promise<boolean> {
    const counting = withinTimeout(this.#queue.getWorkersCount(), 'asking who takes runs');
    return counting.then((count) => count > 0).catch(() => true);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }
}

/** The queue of warm-ups as BullMQ sees it: for dashboards too. */
export function openWarmUpQueue(
  connection: RedisClient,
  keys: Keys,
  tracing: Tracing | null = null,
): Queue<WarmUpJobData, WarmUpJobResult> {
  return openJobQueue(WARM_UPS, connection, { prefix: keys.warmUpsPrefix(), tracing });
}

type RunJob = Job<WarmUpJobData, WarmUpJobResult>;

/** Of a list a job may have been removed meanwhile. */
function isRun(job: RunJob | undefined): job is RunJob {
  return isWarmUpJob(job?.data);
}

function toRun(job: RunJob, state: string): QueuedRun {
  const { plan, startAtMs, peakAtMs } = job.data;
  return {
    runId: String(job.id),
    plan,
    startAtMs,
    peakAtMs,
    state: STATES[state] ?? 'waiting',
    progress: progressOf(job.progress),
    result: job.returnvalue ?? null,
    error: job.failedReason ?? null,
  };
}

const STATES: Readonly<Record<string, QueuedRun['state']>> = {
  active: 'running',
  completed: 'completed',
  failed: 'failed',
};
