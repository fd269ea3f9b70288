import { type Job, Worker } from 'bullmq';
import type { Events } from '../core/events.ts';
import { Progress } from '../core/progress.ts';
import type { Tracing } from '../core/tracing.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { telemetryOf } from './job-telemetry.ts';
import type { RefreshJobData, RefreshJobResult } from './refresh-job.ts';
import type { RefreshProcessor } from './refresh-processor.ts';
import type { WarmJobData } from './warm-job.ts';
import type { WarmProcessor } from './warm-processor.ts';

export interface RefreshWorkerParts {
  readonly connection: RedisClient;
  readonly keys: Keys;
  readonly loader: AnyLoader;
  readonly processor: RefreshProcessor;
  readonly warming: WarmProcessor;
  readonly concurrency: number;
  readonly events: Events;
  readonly tracing: Tracing | null;
}

/** A worker that dies holds its jobs for so long; their keys are claimed anew before that. */
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
/** Until a job is asked for, or its end is told, again after the connection broke; close() waits for it too. */
const RETRY_MS = 500;
/** More than a warm-up has in the queue: its jobs never keep a worker from taking refreshes. */
const LEAST_JOBS = 50;
/** An idle worker asks for jobs every 5 s. */
const LATE_MS = 15_000;

type AnyJob = Job<RefreshJobData | WarmJobData, RefreshJobResult>;

/** While Redis is away BullMQ's close() waits for it for ever, and a forced one joins that wait. */
class CuttableWorker extends Worker<RefreshJobData | WarmJobData, RefreshJobResult> {
  /** Has asked for a job and got an answer, or has begun or ended one. */
  readonly progress: Progress = new Progress();

  protected override async moveToActive(token: string, name?: string): Promise<AnyJob> {
    const job = await super.moveToActive(token, name);
    this.progress.note();
    return job;
  }

  async cut(): Promise<void> {
    await this.lockManager.close();
    await this.backend.close(true);
  }
}

/** Takes jobs from one loader's queue and has the processor run them. */
export class RefreshWorker {
  readonly #worker: CuttableWorker;
  readonly #loader: AnyLoader;
  readonly #mostJobs: number;
  #jobs = 0;

  constructor(parts: RefreshWorkerParts) {
    const { connection, keys, loader, processor, warming, concurrency, events, tracing } = parts;
    this.#loader = loader;
    // Jobs at a time; their loader calls are limited by the processor.
    this.#mostJobs = Math.max(concurrency, LEAST_JOBS);
    const run = (job: AnyJob, token?: string) =>
      this.#noted(() =>
        isWarm(job) ? warming.process(job, token) : processor.process(job.data as RefreshJobData),
      );
    this.#worker = new CuttableWorker(loader.name, run, {
      connection,
      prefix: keys.queuePrefix(loader),
      ...telemetryOf(tracing),
      concurrency: this.#mostJobs,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_MS,
      runRetryDelay: RETRY_MS,
      name: `everwarm:${loader.name}`,
    });
    this.#worker.on('error', (error) => events.emit('redis:failed', { role: 'queue', error }));
  }

  /**
   * What is wrong, if it has long neither been given an answer when it asked for jobs, nor begun or ended one: its loop is
   * parked. A load that hangs does not keep it from asking; only one that has all the jobs it can take waits for the loads.
   */
  complaint(): string | null {
    const { name, loadTimeoutMs } = this.#loader;
    const lateMs = this.#jobs < this.#mostJobs ? LATE_MS : LATE_MS + loadTimeoutMs;
    return this.#worker.progress.complaint(`jobs of ${name}`, lateMs);
  }

  /** Whether any job runs. */
  get isBusy(): boolean {
    return this.#jobs > 0;
  }

  /** Takes no more jobs; resolves when those under way are done. */
  async drain(): Promise<void> {
    await this.#worker.close();
  }

  async #noted<T>(run: () => Promise<T>): Promise<T> {
    const { progress } = this.#worker;
    progress.note();
    this.#jobs++;
    try {
      return await run();
    } finally {
      this.#jobs--;
      progress.note();
    }
  }

  /** Ends without waiting for the server. */
  async closeNow(): Promise<void> {
    await this.#worker.cut();
  }
}

function isWarm(job: AnyJob): job is Job<WarmJobData, RefreshJobResult> {
  return job.data?.reason === 'warm';
}
