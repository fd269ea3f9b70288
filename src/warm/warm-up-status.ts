import type { WarmUpProgress } from '../queue/warm-up-job.ts';
import type { LastWarmUpRun } from '../redis/warm-up-runs.ts';

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
