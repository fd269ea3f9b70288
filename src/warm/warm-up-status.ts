import type { QueuedRun } from '../queue/warm-up-queue.ts';
import type { EndedRun, WarmUpRuns } from '../redis/warm-up-runs.ts';
import type { WarmUp } from './define-warm-up.ts';
import { nextFire } from './planner.ts';

/** What a plan does, did and will do. Instants are epoch ms. */
export interface WarmUpStatus {
  readonly name: string;
  readonly loader: string;
  readonly timezone: string;
  readonly nextStartAtMs: number | null;
  /** The peak of the next run. */
  readonly nextPeakAtMs: number | null;
  /** Runs under way, and those that wait for them or for a scheduler. */
  readonly runs: readonly WarmUpRunStatus[];
  readonly last: LastWarmUpRun | null;
}

export interface WarmUpRunStatus {
  readonly runId: string;
  readonly state: 'waiting' | 'running';
  readonly startAtMs: number;
  readonly peakAtMs: number | null;
  readonly progress: WarmUpProgress | null;
}

/** How far a run has come. */
export interface WarmUpProgress {
  readonly startedAtMs: number;
  /** Keys loaded. */
  readonly done: number;
  /** Keys that were fresh. */
  readonly skipped: number;
  readonly failed: number;
  /** Params that make no key. */
  readonly refused: number;
  /** How many keys there are at most, where that is known. */
  readonly total: number | null;
  readonly keysPerSecond: number;
  readonly expectedEndAtMs: number | null;
}

export interface LastWarmUpRun {
  readonly runId: string;
  readonly outcome: 'completed' | 'failed';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly refused: number;
  readonly error: string | null;
}

export interface StatusParts {
  readonly runs: Pick<WarmUpRuns, 'last' | 'tookMs'>;
  /** Runs of all plans that have not ended. */
  readonly unfinished: readonly QueuedRun[];
  readonly nowMs: number;
}

export async function statusOf(
  plan: WarmUp,
  { runs, unfinished, nowMs }: StatusParts,
): Promise<WarmUpStatus> {
  const [next, last] = await Promise.all([nextFire(plan, runs, nowMs), runs.last(plan.name)]);
  return {
    name: plan.name,
    loader: plan.loader.name,
    timezone: plan.zone.name,
    nextStartAtMs: next?.startAtMs ?? null,
    nextPeakAtMs: next?.peakAtMs ?? null,
    runs: unfinished.filter((run) => run.plan === plan.name).map(toStatus),
    last: last satisfies EndedRun | null,
  };
}

function toStatus({ runId, state, startAtMs, peakAtMs, progress }: QueuedRun): WarmUpRunStatus {
  const isRunning = state === 'running';
  return { runId, state: isRunning ? 'running' : 'waiting', startAtMs, peakAtMs, progress };
}
