import { DEFAULTS } from '../config/defaults.ts';
import type { LoaderStats } from '../redis/loader-stats.ts';

/** With nothing known, two rounds of one worker. */
const LEAST = 2 * DEFAULTS.concurrency;
/** What one worker gets through in half a claim, however fast its loads. */
const MOST = 2_000;

/**
 * How many keys may be outstanding before any have landed: half of what one worker surely lands within half
 * a claim, if its loads take so long. With less the first wave of many refreshes would lag behind its plan
 * and then come as one.
 */
export function firstWave({
  loadMs,
  claimTtlMs,
}: {
  /** Null: unknown. */
  readonly loadMs: number | null;
  readonly claimTtlMs: number;
}): number {
  if (loadMs === null) return LEAST;
  const landed = (DEFAULTS.concurrency * (claimTtlMs / 2)) / Math.max(loadMs, 1);
  return Math.floor(Math.min(Math.max(landed / 2, LEAST), MOST));
}

interface Sample {
  readonly atMs: number;
  readonly finishedKeys: number;
}

/**
 * How many keys may be enqueued: at most what landed in the last half claim is outstanding, at least
 * `minimum`. More would run out of its claim before a worker gets to it, and be enqueued again.
 */
export class Backlog {
  /** The least limit. */
  minimum: number = LEAST;
  #samples: Sample[] = [];
  #stats: LoaderStats | null = null;
  #enqueuedSince = 0;

  /** Takes in the fleet's counters. */
  update(stats: LoaderStats, at: { readonly nowMs: number; readonly claimTtlMs: number }): void {
    this.#stats = stats;
    this.#enqueuedSince = 0;
    this.#samples.push({ atMs: at.nowMs, finishedKeys: stats.finishedKeys });
    const oldestMs = at.nowMs - at.claimTtlMs / 2;
    while (this.#samples.length > 1 && (this.#samples[1]?.atMs ?? 0) <= oldestMs) {
      this.#samples.shift();
    }
  }

  add(keys: number): void {
    this.#enqueuedSince += keys;
  }

  get outstanding(): number {
    if (!this.#stats) return 0;
    const { enqueuedKeys, finishedKeys } = this.#stats;
    return Math.max(0, enqueuedKeys - finishedKeys) + this.#enqueuedSince;
  }

  get limit(): number {
    const finishedNow = this.#stats?.finishedKeys ?? 0;
    const finishedThen = this.#samples[0]?.finishedKeys ?? finishedNow;
    return Math.max(this.minimum, finishedNow - finishedThen);
  }

  get room(): number {
    return Math.max(0, this.limit - this.outstanding);
  }
}
