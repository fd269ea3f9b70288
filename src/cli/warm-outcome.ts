/** What became of the keys of a run. */
export interface WarmOutcome {
  readonly runId: string;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  /** Params or lines that make no key. */
  readonly refused: number;
  /** Why it did not come to its end; null: it did. */
  readonly error: string | null;
}
