import { hitShareOf } from '../../src/observe/read-rates.ts';
import type { Snapshot } from './snapshot.ts';

/** One point of the charts: per loader in the order of `loaders`, null where nothing can be told. */
export interface Sample {
  readonly atMs: number;
  /** Of the reads in the minute before. */
  readonly hitPercent: readonly (number | null)[];
  readonly waitedPercent: readonly (number | null)[];
  readonly refreshesPerSecond: readonly (number | null)[];
  readonly backlog: readonly (number | null)[];
  readonly loadMs: readonly (number | null)[];
  readonly memoryBytes: readonly [cache: number, queue: number];
}

const EVERY_MS = 5_000;
const KEPT_MS = 3_600_000;
/** Between polls that are farther apart nobody was looking: an average over that would say little. */
const MOST_GAP_MS = 60_000;

/** The last hour of what the overview showed, as far as anybody looked: 720 samples at most. */
export class History {
  readonly #samples: Sample[] = [];
  #previous: Snapshot | null = null;

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Answers the sample that was added; null: it is not time for one yet. */
  add(snapshot: Snapshot): Sample | null {
    const previous = this.#previous;
    const sinceMs = previous === null ? null : snapshot.atMs - previous.atMs;
    if (sinceMs !== null && sinceMs >= 0 && sinceMs < EVERY_MS - 100) return null;
    this.#previous = snapshot;
    const sample = sampleOf(snapshot, previous);
    this.#samples.push(sample);
    const oldestMs = snapshot.atMs - KEPT_MS;
    const isOver = (): boolean =>
      this.#samples.length > KEPT_MS / EVERY_MS || (this.#samples[0]?.atMs ?? oldestMs) < oldestMs;
    while (this.#samples.length > 0 && isOver()) this.#samples.shift();
    return sample;
  }
}

function sampleOf(snapshot: Snapshot, previous: Snapshot | null): Sample {
  const { atMs, loaders, cache, queue } = snapshot;
  return {
    atMs,
    hitPercent: loaders.map(({ reads }) => reads && 100 * hitShareOf(reads)),
    waitedPercent: loaders.map(({ reads }) => reads && 100 * reads.waited),
    refreshesPerSecond: loaders.map(({ name, stats }) => {
      const before = previous?.loaders.find((one) => one.name === name);
      const seconds = (atMs - (previous?.atMs ?? atMs)) / 1_000;
      if (!before || seconds <= 0 || seconds > MOST_GAP_MS / 1_000) return null;
      const finished = stats.finishedKeys - before.stats.finishedKeys;
      return finished < 0 ? null : finished / seconds; // Counters that were lost begin anew.
    }),
    backlog: loaders.map(({ backlogKeys }) => backlogKeys),
    loadMs: loaders.map(({ stats }) => stats.load?.meanMs ?? null),
    memoryBytes: [cache.usedBytes, queue.usedBytes],
  };
}
