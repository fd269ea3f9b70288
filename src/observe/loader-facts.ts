import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Keys } from '../redis/keys.ts';
import { type LoaderStats, LoaderStatsStore } from '../redis/loader-stats.ts';
import { type OriginState, readOriginState } from '../redis/origin-state.ts';
import { Presence, type Seen } from '../redis/presence.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { RefreshPause } from '../redis/refresh-pause.ts';
import { Tracker } from '../redis/tracker.ts';
import { thresholdOf } from '../schedule/outlook.ts';
import type { Explanation } from './explanation.ts';
import { modeOf } from './loader-mode.ts';

/** What stands in Redis of a loader, in few answers whose size does not depend on how much there is. */
export interface LoaderFacts {
  readonly name: string;
  /** When all of this was so, epoch ms of the queue server. */
  readonly atMs: number;
  readonly stats: LoaderStats;
  readonly seen: Seen;
  readonly mode: Explanation['mode'];
  /** Null: its refreshing is not paused. */
  readonly pausedAtMs: number | null;
  /** Null: it has no budget. */
  readonly origin: OriginState | null;
  readonly trackedKeys: number;
  readonly failingKeys: number;
  readonly threshold: number;
  /** Enqueued, and no worker is done with them. */
  readonly backlogKeys: number;
}

export interface LoaderFactsParts {
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** Reads how a loader does in the whole fleet; changes nothing. Rejects when Redis fails. */
export async function readLoaderFacts(
  { queue, keys, clock }: LoaderFactsParts,
  loader: AnyLoader,
): Promise<LoaderFacts> {
  const tracker = new Tracker(queue, keys, loader);
  const [stats, seen, pausedAtMs, origin, trackedKeys, failingKeys] = await Promise.all([
    new LoaderStatsStore(queue, keys, loader).read(),
    new Presence(queue, keys, loader).read(),
    new RefreshPause(queue, keys, loader).sinceAtMs(),
    readOriginState(queue, { keys, loader }, clock.now()),
    tracker.count(),
    tracker.countFailing(),
  ]);
  // Afterwards: what was read is of the past.
  const atMs = clock.now();
  return {
    name: loader.name,
    atMs,
    stats,
    seen,
    mode: modeOf(loader, seen, atMs),
    pausedAtMs,
    origin,
    trackedKeys,
    failingKeys,
    threshold: thresholdOf(loader, stats),
    backlogKeys: Math.max(0, stats.enqueuedKeys - stats.finishedKeys),
  };
}
