import type { Job } from 'bullmq';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import type { RefreshJobData, RefreshJobResult } from '../../src/queue/refresh-job.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import type { DashboardContext } from '../context.ts';
import { keysOfJob } from '../job-format.ts';

/** What became of a key in one job. */
export interface JobOutcome {
  readonly reason: string;
  /** On the clock of the worker's process. */
  readonly endedAtMs: number;
  readonly text: string;
}

/** Of each kind of end: more would make the page wait. */
const LOOKED_AT = 100;
const SHOWN = 10;

/** The last jobs that carried this key, the newest first, of those that its queue has kept. */
export async function recentOutcomes(
  { queueOf }: DashboardContext,
  loader: AnyLoader,
  key: string,
): Promise<readonly JobOutcome[]> {
  const asked = queueOf(loader).queue.getJobs(['completed', 'failed'], 0, LOOKED_AT - 1);
  const jobs = await withinTimeout(asked, `asking for jobs of ${loader.name}`);
  return jobs
    .filter((job) => keysOfJob(job?.data).includes(key))
    .map((job) => outcomeOf(job, key))
    .sort((a, b) => b.endedAtMs - a.endedAtMs)
    .slice(0, SHOWN);
}

function outcomeOf(job: Job<RefreshJobData, RefreshJobResult>, key: string): JobOutcome {
  const { data, returnvalue, failedReason } = job;
  const error = failedReason ?? failureOf(returnvalue, key);
  return {
    reason: String(data.reason),
    endedAtMs: job.finishedOn ?? 0,
    text: error === null ? successOf(returnvalue, data.keys.length) : `failed: ${error}`,
  };
}

function failureOf(result: RefreshJobResult | undefined, key: string): string | null {
  const failed = Array.isArray(result?.failed) ? result.failed : [];
  return failed.find((one) => one?.key === key)?.error ?? null;
}

/** A job counts what it skipped, without names. */
function successOf(result: RefreshJobResult | undefined, keyCount: number): string {
  const { refreshed = 0, skipped = 0 } = result ?? {};
  if (skipped === 0) return 'loaded';
  return refreshed === 0 ? 'skipped' : `loaded or skipped (${refreshed} of ${keyCount} loaded)`;
}
