import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { readLoaderFacts } from '../observe/loader-facts.ts';
import { isThere } from '../observe/loader-mode.ts';
import { evictedKeys } from '../redis/evicted-keys.ts';
import type { Keys } from '../redis/keys.ts';
import type { OriginState } from '../redis/origin-state.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { usedMemoryShare } from '../redis/server-memory.ts';
import { queueWaitOf } from '../schedule/outlook.ts';
import { METRICS } from './metrics.ts';
import type { RoleMetrics } from './role-metrics.ts';

/** How often it is asked. */
export const FLEET_WATCH_MS = 5_000;
const ORIGIN_STATES = { closed: 0, ramping: 1, 'half-open': 2, open: 3 } as const;

export interface FleetWatchParts {
  readonly metrics: RoleMetrics;
  readonly loaders: readonly AnyLoader[];
  /** Names of its warm-ups. */
  readonly plans: Iterable<string>;
  readonly cache: RedisClient;
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/**
 * What no single process knows: the fleet's counters and the state of its servers, asked of Redis every few
 * seconds by each scheduler and dashboard that has metrics, so that a scrape never waits for Redis.
 */
export class FleetWatch {
  readonly #parts: FleetWatchParts;
  #evictedKeys: number | null = null;

  constructor(parts: FleetWatchParts) {
    this.#parts = parts;
    for (const { name } of parts.loaders) parts.metrics.begin('loader', name);
    for (const plan of parts.plans) parts.metrics.begin('plan', plan);
  }

  /** Rejects when a server does not answer; what the others say is taken in all the same. */
  async look(): Promise<void> {
    const { loaders, metrics, cache, queue } = this.#parts;
    const looks = await Promise.allSettled([
      ...loaders.map((loader) => this.#lookAt(loader)),
      usedMemoryShare(cache).then((share) => metrics.family(METRICS.cacheMemory).set([], share)),
      usedMemoryShare(queue).then((share) => metrics.family(METRICS.queueMemory).set([], share)),
      evictedKeys(queue).then((evicted) => this.#heedEvicted(evicted)),
    ]);
    for (const look of looks) if (look.status === 'rejected') throw look.reason;
  }

  #heedEvicted(evicted: number): void {
    const isEvicting = this.#evictedKeys !== null && evicted > this.#evictedKeys;
    this.#evictedKeys = evicted;
    this.#parts.metrics.family(METRICS.queueEvicting).set([], isEvicting ? 1 : 0);
  }

  async #lookAt(loader: AnyLoader): Promise<void> {
    const facts = await readLoaderFacts(this.#parts, loader);
    const { stats, seen, atMs } = facts;
    const { metrics } = this.#parts;
    const labels = [loader.name];
    const values = [
      [METRICS.backlog, facts.backlogKeys],
      [METRICS.trackedKeys, facts.trackedKeys],
      [METRICS.failingKeys, facts.failingKeys],
      [METRICS.paused, facts.pausedAtMs === null ? 0 : 1],
      [METRICS.threshold, facts.threshold],
      [METRICS.wasteBudget, loader.refresh.wasteBudget],
      [METRICS.usedRefreshes, stats.judged.used],
      [METRICS.wastedRefreshes, stats.judged.wasted],
      [METRICS.queueWait, (queueWaitOf(stats, atMs)?.meanMs ?? 0) / 1_000],
      [METRICS.workerAlive, isThere(seen.workerAtMs, atMs) ? 1 : 0],
    ] as const;
    for (const [metric, value] of values) metrics.family(metric).set(labels, value);
    this.#setOrigin(labels, facts.origin);
  }

  #setOrigin(labels: readonly string[], origin: OriginState | null): void {
    if (origin === null) return;
    const state = this.#parts.metrics.family(METRICS.originState);
    state.set(labels, ORIGIN_STATES[origin.breaker]);
  }
}
