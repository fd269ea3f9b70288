import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Smoothed } from '../policy/load-time.ts';
import type { Lives } from '../policy/waste.ts';
import type { OriginState } from '../redis/origin-state.ts';
import type { Seen } from '../redis/presence.ts';
import { Tracker } from '../redis/tracker.ts';
import { queueWaitOf } from '../schedule/outlook.ts';
import type { Explanation } from './explanation.ts';
import { type FleetRates, readFleetRates } from './fleet-rates.ts';
import { type LoaderFactsParts, readLoaderFacts } from './loader-facts.ts';

/** How a loader does in the whole fleet. Instants are epoch ms of the queue server. */
export interface LoaderStatus extends FleetRates {
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

/** Reads how a loader does; changes nothing. Rejects when Redis fails. */
export async function readLoaderStatus(
  parts: LoaderFactsParts,
  loader: AnyLoader,
): Promise<LoaderStatus> {
  const [facts, rates] = await Promise.all([
    readLoaderFacts(parts, loader),
    readFleetRates(parts, loader),
  ]);
  const { atMs, stats, seen, threshold } = facts;
  const { schedulerAtMs, shadowAtMs, workerAtMs } = seen;
  const tracker = new Tracker(parts.queue, parts.keys, loader);
  return {
    loader: loader.name,
    version: loader.version,
    atMs,
    mode: facts.mode,
    pausedAtMs: facts.pausedAtMs,
    trackedKeys: facts.trackedKeys,
    hotKeys: await tracker.countHotter(threshold, atMs),
    failingKeys: facts.failingKeys,
    threshold,
    load: stats.load,
    queueWait: queueWaitOf(stats, atMs),
    backlogKeys: facts.backlogKeys,
    lives: stats.judged,
    ...rates,
    origin: facts.origin,
    seen: { schedulerAtMs, shadowAtMs, workerAtMs },
  };
}
