import type { RunCounts } from '../core/events.ts';

/** One run of a plan, as it stands in the queue of warm-ups. */
export interface WarmUpJobData {
  readonly plan: string;
  /** When it was to start, epoch ms. */
  readonly startAtMs: number;
  readonly peakAtMs: number | null;
  /** Who wants it: a plan's schedule, or somebody by hand, who does not mind when it starts. */
  readonly by: 'schedule' | 'hand';
}

/** How far a run has come, over all its attempts. */
export interface WarmUpProgress extends RunCounts {
  readonly startedAtMs: number;
  /** How many keys there are at most, where that is known. */
  readonly total: number | null;
  readonly keysPerSecond: number;
  readonly expectedEndAtMs: number | null;
}

export interface RunProgress extends WarmUpProgress {
  /** Keys from the start that are done with. */
  readonly position: number;
}

/** How a run ended that did not fail. */
export type WarmUpJobResult =
  | ({ readonly outcome: 'completed' } & RunCounts)
  | { readonly outcome: 'skipped'; readonly why: 'overlap' | 'late' };

/** What is out there may be of any version, or of no Everwarm at all. */
export function isWarmUpJob(data: unknown): data is WarmUpJobData {
  const { plan, startAtMs, peakAtMs, by } = (data ?? {}) as Partial<WarmUpJobData>;
  const isTimed =
    typeof startAtMs === 'number' && (peakAtMs === null || typeof peakAtMs === 'number');
  return typeof plan === 'string' && isTimed && (by === 'schedule' || by === 'hand');
}

/** A job's progress, where it has any. */
export function progressOf(progress: unknown): RunProgress | null {
  const { position, startedAtMs } = (progress ?? {}) as Partial<RunProgress>;
  const isOne = Number.isSafeInteger(position) && typeof startedAtMs === 'number';
  return isOne ? (progress as RunProgress) : null;
}
