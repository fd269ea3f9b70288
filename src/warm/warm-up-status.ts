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
