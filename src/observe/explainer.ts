import { DEFAULTS } from '../config/defaults.ts';
import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { tickMs as tickMsOf } from '../policy/cadence.ts';
import { explainRefresh, type Hindrance } from '../policy/explain.ts';
import { readRate } from '../policy/heat.ts';
import { MOST_OF_LIFE } from '../policy/lead-time.ts';
import { heatOf, leadOf, loadOf, type PlanInput } from '../policy/plan.ts';
import { shortestLifeMs } from '../policy/varying-life.ts';
import { lookAtPlace, type PlaceLook } from '../redis/entry-look.ts';
import type { Keys } from '../redis/keys.ts';
import { type LoaderStats, LoaderStatsStore } from '../redis/loader-stats.ts';
import { Presence, type Seen } from '../redis/presence.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { RefreshPause } from '../redis/refresh-pause.ts';
import type { TrackedKey } from '../redis/tracked-key.ts';
import { Tracker } from '../redis/tracker.ts';
import { queueWaitOf, thresholdOf } from '../schedule/outlook.ts';
import { planSettingsOf } from '../schedule/plan-settings.ts';
import { entryState } from './entry-state.ts';
import type { ExplainedEntry, Explanation } from './explanation.ts';
import { anySchedulerAtMs, isThere, modeOf } from './loader-mode.ts';

export interface ExplainerParts {
  readonly cache: RedisClient;
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** All that one explanation is made of. */
interface Facts {
  readonly loader: AnyLoader;
  readonly key: string;
  readonly place: PlaceLook;
  readonly tracked: TrackedKey;
  readonly stats: LoaderStats;
  readonly seen: Seen;
  readonly pausedAtMs: number | null;
  readonly nowMs: number;
}

/** Says why a key is refreshed or not, from what lies in Redis; changes nothing there. */
export class Explainer {
  readonly #parts: ExplainerParts;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  /** Never rejects for what a key is or lacks; only when Redis fails. */
  async explain(loader: AnyLoader, key: string): Promise<Explanation> {
    const { cache, queue, keys, clock } = this.#parts;
    const entryKey = keys.entry(loader, key);
    const [place, tracked, stats, seen, pausedAtMs] = await Promise.all([
      lookAtPlace(cache, { entryKey, lockKey: keys.lock(entryKey) }),
      new Tracker(queue, keys, loader).lookAt(key),
      new LoaderStatsStore(queue, keys, loader).read(),
      new Presence(queue, keys, loader).read(),
      new RefreshPause(queue, keys, loader).sinceAtMs(),
    ]);
    const nowMs = clock.now();
    return explanationOf({ loader, key, place, tracked, stats, seen, pausedAtMs, nowMs });
  }
}

function explanationOf(facts: Facts): Explanation {
  const { loader, key, nowMs, place, tracked, seen, pausedAtMs } = facts;
  const input = planInputOf(facts);
  const { due, failure } = tracked;
  const hindrance = hindranceOf(facts);
  const { verdict, refreshAtMs, sentence } = explainRefresh({
    plan: input,
    due,
    failure,
    hindrance,
  });
  const { recentReads, threshold } = heatOf(input);
  const { lockRemainingMs } = place;
  return {
    loader: loader.name,
    key,
    verdict,
    summary: sentence,
    atMs: nowMs,
    refreshAtMs,
    heat: {
      isTracked: tracked.logHeat !== null,
      recentReads,
      readsPerSecond: 1_000 * readRate(recentReads, input.settings.halfLifeMs),
      threshold,
    },
    entry: entryOf(facts),
    load: loadOf(input),
    queueWait: input.wait,
    leadMs: leadOf(input),
    due,
    failure,
    lock: { isHeld: lockRemainingMs !== null, remainingMs: lockRemainingMs ?? 0 },
    mode: modeOf(loader, seen, nowMs),
    pausedAtMs,
    seen: {
      schedulerAtMs: anySchedulerAtMs(seen),
      workerAtMs: seen.workerAtMs,
    },
  };
}

/** What a scheduler that looked now would plan by, as far as it stands in Redis. */
function planInputOf({ loader, key, place, tracked, stats, seen, nowMs }: Facts): PlanInput {
  const { entry } = place;
  const { logHeat, bornAtMs } = tracked;
  const tickMs = seen.tickMs ?? tickMsOf(DEFAULTS.tickIntervalMs, shortestLifeMs(loader));
  return {
    header: entry === null || entry === 'foreign' ? null : entry.header,
    logHeat,
    key,
    nowMs,
    trackerAgeMs: nowMs - (bornAtMs ?? nowMs),
    settings: planSettingsOf(loader, tickMs),
    threshold: thresholdOf(loader, stats),
    // Which second is busy only the schedulers know.
    plannedAt: () => 0,
    loaderLoad: stats.load,
    wait: queueWaitOf(stats, nowMs),
    mostLeadShare: MOST_OF_LIFE,
    // Only the schedulers know; one that did so has set the key's due accordingly.
    reloadedWithinTtl: false,
  };
}

function hindranceOf(facts: Facts): Hindrance | null {
  const { seen, pausedAtMs, nowMs } = facts;
  const mode = modeOf(facts.loader, seen, nowMs);
  if (mode === 'off') return { kind: 'off' };
  if (pausedAtMs !== null) return { kind: 'paused', sinceAtMs: pausedAtMs };
  if (mode === 'shadow') return { kind: 'shadow' };
  const { schedulerAtMs } = seen;
  return isThere(schedulerAtMs, nowMs) ? null : { kind: 'no-scheduler', seenAtMs: schedulerAtMs };
}

const NO_ENTRY = {
  remainingMs: 0,
  ageMs: 0,
  bytes: 0,
  codec: null,
  compression: null,
  isNotFound: false,
  unreadLives: 0,
} as const;

function entryOf({ loader, place, nowMs }: Facts): ExplainedEntry {
  const { entry } = place;
  if (entry === null) return { ...NO_ENTRY, state: 'missing' };
  if (entry === 'foreign') return { ...NO_ENTRY, state: 'unreadable' };
  const { header, bytes, codec, compression } = entry;
  return {
    state: entryState(loader, header, nowMs),
    remainingMs: header.expiresAtMs - nowMs,
    ageMs: nowMs - header.createdAtMs,
    bytes,
    codec,
    compression,
    isNotFound: header.notFound,
    unreadLives: header.unreadLives,
  };
}
