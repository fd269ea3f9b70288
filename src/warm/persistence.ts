import { setTimeout as delay } from 'node:timers/promises';
import { asUnavailable, isAway } from '../redis/away.ts';

/** How long a run waits for a server that is away. */
const GIVE_UP_MS = 60_000;
const RETRY_MS = 1_000;

/** What keeps a run going while a server is away for a moment, and ends its waits when it is over. */
export class Persistence {
  readonly #over = new AbortController();

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  end(): void {
    this.#over.abort();
  }

  /**
   * Repeats what may be repeated until the server answers.
   *
   * @throws what it last failed with, when that was not an absence, the run is over, or a minute has passed
   */
  async try<T>(work: () => Promise<T>): Promise<T> {
    const givesUpAtMs = performance.now() + GIVE_UP_MS;
    for (;;) {
      try {
        return await work();
      } catch (cause) {
        const error = asUnavailable(cause, 'warming');
        if (!isAway(error) || this.isOver || performance.now() > givesUpAtMs) throw error;
        await this.sleep(RETRY_MS);
      }
    }
  }

  /** Resolves when the signal aborts. */
  aborted(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) resolve();
      signal?.addEventListener('abort', () => resolve(), { signal: this.#over.signal });
    });
  }

  /** Ends early when the run is over. */
  async sleep(ms: number): Promise<void> {
    if (ms <= 0) return;
    await delay(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}
