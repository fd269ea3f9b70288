import type { Clock } from '../core/clock.ts';
import type { RunProgress } from '../queue/warm-up-job.ts';
import type { TakenRun } from '../queue/warm-up-worker.ts';
import type { WarmProgress } from './warm-progress.ts';

/** What a dead process has not told is done again: mostly found fresh. */
const TELL_MS = 1_000;

/** A run's progress over all its attempts, told to its job once a second. */
export class ProgressReport {
  readonly #taken: Pick<TakenRun, 'update'>;
  readonly #before: RunProgress;
  #now: RunProgress;
  #refused = 0;
  #isTold = false;
  readonly #timer: NodeJS.Timeout;
  #telling: Promise<void> | null = null;

  constructor(taken: Pick<TakenRun, 'update' | 'progress'>, clock: Clock) {
    this.#taken = taken;
    this.#before = (taken.progress && countedOnce(taken.progress)) ?? {
      startedAtMs: clock.now(),
      position: 0,
      done: 0,
      skipped: 0,
      failed: 0,
      refused: 0,
      total: null,
      keysPerSecond: 0,
      expectedEndAtMs: null,
    };
    this.#now = this.#before;
    this.#timer = setInterval(() => {
      if (!this.#isTold) this.#tell();
    }, TELL_MS);
    this.#tell();
  }

  get progress(): RunProgress {
    return this.#now;
  }

  /** Counts params that make no key; answers how many there were. */
  refuse(): number {
    this.#refused++;
    return this.#refused;
  }

  /** What this attempt has come to. */
  add(attempt: WarmProgress): void {
    const { startedAtMs, done, skipped, failed } = this.#before;
    this.#now = {
      startedAtMs,
      position: attempt.position,
      done: done + attempt.done,
      skipped: skipped + attempt.skipped,
      failed: failed + attempt.failed,
      // Each attempt reads the keys from the start, and finds the same ones.
      refused: Math.max(this.#before.refused, this.#refused),
      total: attempt.total,
      keysPerSecond: attempt.keysPerSecond,
      expectedEndAtMs: attempt.expectedEndAtMs,
    };
    this.#isTold = false;
  }

  /** Tells where the run has come to, and no more; never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#telling;
    this.#tell();
    await this.#telling;
  }

  /** One at a time: while a server does not answer nothing piles up. */
  #tell(): void {
    if (this.#telling !== null) return;
    this.#isTold = true;
    this.#telling = this.#taken
      .update(this.#now)
      .catch(() => undefined)
      .finally(() => {
        this.#telling = null;
      });
  }
}

/** Without what is behind its position: the next attempt counts that again, most of it as fresh. */
function countedOnce(progress: RunProgress): RunProgress {
  let again = Math.max(0, progress.done + progress.skipped + progress.failed - progress.position);
  const less = (count: number): number => {
    const taken = Math.min(count, again);
    again -= taken;
    return count - taken;
  };
  const [done, skipped, failed] = [progress.done, progress.skipped, progress.failed].map(less);
  return { ...progress, done: done ?? 0, skipped: skipped ?? 0, failed: failed ?? 0 };
}
