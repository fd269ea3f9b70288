import { decay, type Smoothed, smooth } from '../policy/load-time.ts';
import type { LoaderStatsStore } from '../redis/loader-stats.ts';

const PUBLISH_MS = 1_000;
const WAIT_HALF_LIFE_MS = 10_000;

/** One loader's load time and queue wait as this worker sees them, published once a second. */
export class WorkerTimes {
  readonly #stats: LoaderStatsStore;
  readonly #loadTime: () => Smoothed | null;
  readonly #timer: NodeJS.Timeout;
  #wait: Smoothed | null = null;
  #waitAtMs = 0;
  #isPublished = true;

  constructor(stats: LoaderStatsStore, loadTime: () => Smoothed | null) {
    this.#stats = stats;
    this.#loadTime = loadTime;
    this.#timer = setInterval(() => this.#publish(), PUBLISH_MS).unref();
  }

  /** A key waited so long between its enqueueing and the start of its refresh. */
  observeWait(waitMs: number, nowMs: number): void {
    const left = this.#wait && decay(this.#wait, nowMs - this.#waitAtMs, WAIT_HALF_LIFE_MS);
    this.#wait = smooth(left, Math.max(0, waitMs));
    this.#waitAtMs = nowMs;
    this.#isPublished = false;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #publish(): void {
    if (this.#isPublished || !this.#wait) return;
    this.#isPublished = true;
    const times = { load: this.#loadTime(), wait: this.#wait, waitAtMs: this.#waitAtMs };
    // An estimate: the next second brings a newer one.
    this.#stats.writeTimes(times).catch(() => undefined);
  }
}
