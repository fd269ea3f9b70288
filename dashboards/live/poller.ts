// States: unwatched (a question now and then, for the charts) -> watched (often, for all who look) -> unwatched -> closed.
// Invariant: however many tabs are open, there is one timer and at most one question under way.
import { messageOf } from '../../src/core/errors.ts';
import { statusOfError } from '../pages/error-status.ts';
import { History, type Sample } from './history.ts';
import type { Snapshot } from './snapshot.ts';

export type Look =
  | { readonly snapshot: Snapshot; readonly sample: Sample | null; readonly error: null }
  | { readonly snapshot: null; readonly sample: null; readonly error: string };

export const POLL_MS = 2_000;
export const UNWATCHED_MS = 15_000;

/** Asks Redis how things stand: every 2 s while somebody looks, else every 15 s, so that the charts have an hour to show. */
export class Poller {
  readonly history: History = new History();
  readonly #read: () => Promise<Snapshot>;
  readonly #listeners = new Set<(look: Look) => void>();
  #timer: NodeJS.Timeout;
  #isClosed = false;
  #asking: Promise<Look> | null = null;

  constructor(read: () => Promise<Snapshot>) {
    this.#read = read;
    this.#timer = this.#every(UNWATCHED_MS);
  }

  /** Tells how things stand from now on; the answer ends it. */
  watch(listener: (look: Look) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#pace(POLL_MS);
      void this.#poll();
    }
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#pace(UNWATCHED_MS);
    };
  }

  /** How things stand now; who asks while a question is under way gets its answer. */
  look(): Promise<Look> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  #pace(ms: number): void {
    clearInterval(this.#timer);
    if (!this.#isClosed) this.#timer = this.#every(ms);
  }

  #every(ms: number): NodeJS.Timeout {
    return setInterval(() => void this.#poll(), ms).unref();
  }

  async #poll(): Promise<void> {
    if (this.#asking !== null) return;
    const look = await this.look();
    for (const listener of this.#listeners) listener(look);
  }

  async #ask(): Promise<Look> {
    try {
      const snapshot = await this.#read();
      return { snapshot, sample: this.history.add(snapshot), error: null };
    } catch (error) {
      return { snapshot: null, sample: null, error: reasonOf(error) };
    }
  }
}

/** For people: a client's words for a connection that is gone tell them nothing. */
function reasonOf(error: unknown): string {
  if (statusOfError(error) === 503) return 'Redis does not answer.';
  return `The figures cannot be read: ${messageOf(error)}`;
}
