/** When a loader's answers without a value, for keys that had one, are no longer believed. */
export interface EmptyGuardSettings {
  /** Share of such answers from which they are not, 0 to 1. */
  readonly share: number;
  /** So many of them are needed before they are judged. */
  readonly atLeast: number;
}
