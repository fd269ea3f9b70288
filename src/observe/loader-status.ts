import { DEFAULTS } from '../config/defaults.ts';
import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Smoothed } from '../policy/load-time.ts';
import type { Lives } from '../policy/waste.ts';
import type { Keys } from '../redis/keys.ts';
import { LoaderStatsStore } from '../redis/loader-stats.ts';
import { type OriginState, readOriginState } from '../redis/origin-state.ts';
import { Presence, type Seen } from '../redis/presence.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { RefreshPause } from '../redis/refresh-pause.ts';
import { Tracker } from '../redis/tracker.ts';
import { queueWaitOf } from '../schedule/outlook.ts';
import type { Explanation } from './explanation.ts';
import { modeOf } from './loader-mode.ts';

/** How a loader does in the whole fleet. Instants are epoch ms of the queue server. */
export interface LoaderStatus {
  readonly loader: string;
  readonly version: number;
  readonly atMs: number;
  readonly mode: Explanation['mode'];
  /** Since when its refreshing is paused; null: it is not. */
  readonly pausedAtMs: number | null;
  readonly trackedKeys: number;
  /** Tracked keys with enough recent reads to be refreshed, but for what a young tracker has not counted yet. */
  readonly hotKeys: number;
  /** Keys whose last refresh failed. */
  readonly failingKeys: number;
  /** Recent reads from which a key is worth a refresh. */
  readonly threshold: number;
  /** Null: no load was timed yet. */
  readonly load: Smoothed | null;
  /** Null: no job has waited yet. */
  readonly queueWait: Smoothed | null;
  /** Keys enqueued that no worker is done with. */
  readonly backlogKeys: number;
  /** Lives of refreshed entries that are over: read, and not read by anybody. */
  readonly lives: Lives;
  /** Null: it has no budget. */
  readonly origin: OriginState | null;
  /** When roles were last there. */
  readonly seen: Pick<Seen, 'schedulerAtMs' | 'shadowAtMs' | 'workerAtMs'>;
}

export interface LoaderStatusParts {
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** Reads how a loader does; changes nothing. Rejects when Redis fails. */
export async function readLoaderStatus(
  { queue, keys, clock }: LoaderStatusParts,
  loader: AnyLoader,
): Promise<LoaderStatus> {
  const nowMs = clock.now();
  const tracker = new Tracker(queue, keys, loader);
  const [stats, seen, pausedAtMs, origin, trackedKeys, failingKeys] = await Promise.all([
    new LoaderStatsStore(queue, keys, loader).read(),
    new Presence(queue, keys, loader).read(),
    new RefreshPause(queue, keys, loader).sinceAtMs(),
    readOriginState(queue, { keys, loader }, nowMs),
    tracker.count(),
    tracker.countFailing(),
  ]);
  const threshold = loader.refresh.threshold ?? stats.waste?.threshold ?? DEFAULTS.threshold;
  const { schedulerAtMs, shadowAtMs, workerAtMs } = seen;
  return {
    loader: loader.name,
    version: loader.version,
    atMs: nowMs,
    mode: modeOf(loader, seen, nowMs),
    pausedAtMs,
    trackedKeys,
    hotKeys: await tracker.countHotter(threshold, nowMs),
    failingKeys,
    threshold,
    load: stats.load,
    queueWait: queueWaitOf(stats, nowMs),
    backlogKeys: Math.max(0, stats.enqueuedKeys - stats.finishedKeys),
    lives: stats.judged,
    origin,
    seen: { schedulerAtMs, shadowAtMs, workerAtMs },
  };
}
