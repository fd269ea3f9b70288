import type { RunCounts } from '../core/events.ts';

/** How a run ended; refused are also lines of a file that make no key. */
export interface WarmOutcome extends RunCounts {
  readonly runId: string;
  /** Why it did not come to its end; null: it did. */
  readonly error: string | null;
}
