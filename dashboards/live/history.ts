import { hitShareOf } from '../../src/observe/fleet-rates.ts';
import type { Snapshot } from './snapshot.ts';

/** One point of the charts: per loader in the order of `loaders`, null where nothing can be told. */
export interface Sample {
  readonly atMs: number;
  /** Of the minute before, as the rates of loads. */
  readonly hitPercent: readonly (number | null)[];
  readonly waitedPercent: readonly (number | null)[];
  readonly loadsPerSecond: readonly number[];
  readonly landedPerSecond: readonly number[];
  readonly leadMs: readonly (number | null)[];
  readonly backlog: readonly (number | null)[];
  readonly loadMs: readonly (number | null)[];
  readonly memoryBytes: readonly [cache: number, queue: number];
}

const EVERY_MS = 5_000;
const KEPT_MS = 3_600_000;

/** The last hour of what the overview shows, since this process was started: 720 samples at most. */
export class History {
  readonly #samples: Sample[] = [];
  #lastAtMs = Number.NEGATIVE_INFINITY;

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Answers the sample that was added; null: it is not time for one yet. */
  add(snapshot: Snapshot): Sample | null {
    const sinceMs = snapshot.atMs - this.#lastAtMs;
    if (sinceMs >= 0 && sinceMs < EVERY_MS - 100) return null;
    this.#lastAtMs = snapshot.atMs;
    const sample = sampleOf(snapshot);
    this.#samples.push(sample);
    const oldestMs = snapshot.atMs - KEPT_MS;
    const isOver = (): boolean =>
      this.#samples.length > KEPT_MS / EVERY_MS || (this.#samples[0]?.atMs ?? oldestMs) < oldestMs;
    while (this.#samples.length > 0 && isOver()) this.#samples.shift();
    return sample;
  }
}

function sampleOf(snapshot: Snapshot): Sample {
  const { atMs, loaders, cache, queue } = snapshot;
  return {
    atMs,
    hitPercent: loaders.map(({ reads }) => reads && 100 * hitShareOf(reads)),
    waitedPercent: loaders.map(({ reads }) => reads && 100 * reads.waited),
    loadsPerSecond: loaders.map(({ loads }) => loads.loadsPerSecond),
    landedPerSecond: loaders.map(({ loads }) => loads.landedPerSecond),
    leadMs: loaders.map(({ loads }) => loads.leadMs),
    backlog: loaders.map(({ backlogKeys }) => backlogKeys),
    loadMs: loaders.map(({ stats }) => stats.load?.meanMs ?? null),
    memoryBytes: [cache.usedBytes, queue.usedBytes],
  };
}
