/** How far a warm-up's run has come. The counts are those of this attempt. */
export interface WarmProgress {
  /** Keys from the start that are finished or skipped: where a later attempt goes on. */
  readonly position: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  /** How many keys there are, if known. */
  readonly total: number | null;
  /** Of the last seconds. */
  readonly keysPerSecond: number;
  /** Epoch ms; null while nobody can tell. */
  readonly expectedEndAtMs: number | null;
}
