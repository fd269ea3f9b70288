import { type Job, Worker } from 'bullmq';
import type { Events } from '../core/events.ts';
import type { Keys, NamedLoader } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import type { RefreshJobData, RefreshJobResult } from './refresh-job.ts';
import type { RefreshProcessor } from './refresh-processor.ts';
import type { WarmJobData } from './warm-job.ts';
import type { WarmProcessor } from './warm-processor.ts';

export interface RefreshWorkerParts {
  readonly connection: RedisClient;
  readonly keys: Keys;
  readonly loader: NamedLoader;
  readonly processor: RefreshProcessor;
  readonly warming: WarmProcessor;
  readonly concurrency: number;
  readonly events: Events;
}

/** A worker that dies holds its jobs for so long; their keys are claimed anew before that. */
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
/** More than a warm-up has in the queue: its jobs never keep a worker from taking refreshes. */
const LEAST_JOBS = 50;

/** While Redis is away BullMQ's close() waits for it for ever, and a forced one joins that wait. */
class CuttableWorker extends Worker<RefreshJobData | WarmJobData, RefreshJobResult> {
  async cut(): Promise<void> {
    await this.lockManager.close();
    await this.backend.close(true);
  }
}

/** Takes jobs from one loader's queue and has the processor run them. */
export class RefreshWorker {
  readonly #worker: CuttableWorker;

  constructor(parts: RefreshWorkerParts) {
    const { connection, keys, loader, processor, warming, concurrency, events } = parts;
    const run = (job: Job<RefreshJobData | WarmJobData, RefreshJobResult>, token?: string) =>
      isWarm(job) ? warming.process(job, token) : processor.process(job.data as RefreshJobData);
    this.#worker = new CuttableWorker(loader.name, run, {
      connection,
      prefix: keys.queuePrefix(loader),
      // Jobs at a time; their loader calls are limited by the processor.
      concurrency: Math.max(concurrency, LEAST_JOBS),
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_MS,
      name: `everwarm:${loader.name}`,
    });
    this.#worker.on('error', (error) => events.emit('redis:failed', { role: 'queue', error }));
  }

  /** Takes no more jobs; resolves when those under way are done. */
  async drain(): Promise<void> {
    await this.#worker.close();
  }

  /** Ends without waiting for the server. */
  async closeNow(): Promise<void> {
    await this.#worker.cut();
  }
}

function isWarm(job: Job<RefreshJobData | WarmJobData>): job is Job<WarmJobData, RefreshJobResult> {
  return job.data?.reason === 'warm';
}
