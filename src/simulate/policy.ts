import type { Answer } from './score.ts';

/** When a cache refreshes what: it is told of every read, in order of time. */
export interface Policy {
  /** A read of a key, by its index: how it was answered. */
  read(key: number, nowMs: number): Answer;
  /** Lets happen what still does until the end of the trace. */
  finish(endMs: number): void;
}
