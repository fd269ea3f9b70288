import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import { printValue } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import type { Tracing } from '../core/tracing.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { telemetryOf } from './job-telemetry.ts';
import {
  isWarmUpJob,
  progressOf,
  type RunProgress,
  type WarmUpJobData,
  type WarmUpJobResult,
} from './warm-up-job.ts';
import { WARM_UPS } from './warm-up-queue.ts';

/** A run that this process has taken. */
export interface TakenRun {
  readonly runId: string;
  readonly data: WarmUpJobData;
  /** Of earlier attempts, by processes that died or closed. */
  readonly progress: RunProgress | null;
  /** Aborts when the run is no longer this process's: it closes, or was taken for dead. */
  readonly signal: AbortSignal;
  update(progress: RunProgress): Promise<void>;
}

/** How this process is done with a run: it ended, or is to be taken again, by anybody, later. */
export type RunOutcome = WarmUpJobResult | { readonly outcome: 'again'; readonly inMs: number };

export interface WarmUpWorkerParts {
  readonly connection: RedisClient;
  readonly keys: Keys;
  readonly events: Events;
  readonly tracing: Tracing | null;
  /** What it throws fails the run. */
  run(taken: TakenRun): Promise<RunOutcome>;
}

const RUNS_AT_A_TIME = 10;
/** A process that dies holds its run for so long; then another takes it over. */
const LOCK_MS = 6_000;
const STALLED_MS = 3_000;
/** Deploys and crashes of a long run; one whose keys kill every process ends. */
const MOST_TAKEOVERS = 20;

/** While Redis is away BullMQ's close() waits for it for ever. */
class CuttableWorker extends Worker<WarmUpJobData, WarmUpJobResult> {
  async cut(): Promise<void> {
    await this.lockManager.close();
    await this.backend.close(true);
  }
}

/** Takes runs from the queue of warm-ups. */
export class WarmUpWorker {
  readonly #worker: CuttableWorker;

  constructor({ connection, keys, events, tracing, run }: WarmUpWorkerParts) {
    // BullMQ hands the signal to functions of three parameters only.
    const processor = (
      job: Job<WarmUpJobData, WarmUpJobResult>,
      token: string | undefined,
      signal: AbortSignal | undefined,
    ): Promise<WarmUpJobResult> => take(job, { token, signal, run });
    this.#worker = new CuttableWorker(WARM_UPS, processor, {
      connection,
      prefix: keys.warmUpsPrefix(),
      ...telemetryOf(tracing),
      concurrency: RUNS_AT_A_TIME,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_MS,
      maxStalledCount: MOST_TAKEOVERS,
      name: 'everwarm:warm-ups',
    });
    this.#worker.on('error', (error) => events.emit('redis:failed', { role: 'queue', error }));
    this.#worker.on('lockRenewalFailed', (runIds) => {
      for (const runId of runIds) this.#worker.cancelJob(runId, 'another process may have it');
    });
  }

  /** Gives the runs under way back, for others to go on with, and takes no more. */
  async close(): Promise<void> {
    this.#worker.cancelAllJobs('closing');
    await this.#worker.close();
  }

  /** Ends without waiting for the server. */
  async closeNow(): Promise<void> {
    await this.#worker.cut();
  }
}

interface Taking {
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly run: WarmUpWorkerParts['run'];
}

async function take(
  job: Job<WarmUpJobData, WarmUpJobResult>,
  { token, signal = new AbortController().signal, run }: Taking,
): Promise<WarmUpJobResult> {
  const { data, id } = job;
  if (!isWarmUpJob(data) || id === undefined) {
    throw new UnrecoverableError(`not a run of a warm-up: ${printValue(data)}`);
  }
  const outcome = await run({
    runId: id,
    data,
    progress: progressOf(job.progress),
    signal,
    update: (progress) => job.updateProgress({ ...progress }),
  });
  if (outcome.outcome !== 'again') return outcome;
  await job.moveToDelayed(Date.now() + outcome.inMs, token);
  throw new DelayedError();
}
