import { DEFAULTS } from '../config/defaults.ts';
import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { claimMs } from '../policy/cadence.ts';
import { leadMs, MOST_OF_LIFE, MOST_OF_LIFE_LIMITED } from '../policy/lead-time.ts';
import { decay, type Smoothed } from '../policy/load-time.ts';
import { moveThreshold, type WasteControl } from '../policy/waste.ts';
import type { RefreshQueue } from '../queue/refresh-queue.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { LoaderStats, LoaderStatsStore } from '../redis/loader-stats.ts';
import type { OriginState } from '../redis/origin-state.ts';
import { Backlog, firstWave } from './backlog.ts';

const STALE_AFTER_MS = 1_000;
const WAIT_HALF_LIFE_MS = 10_000;
const NO_LIVES = { used: 0, wasted: 0 };
const START: WasteControl = { threshold: DEFAULTS.threshold, recent: NO_LIVES, counted: NO_LIVES };

export interface OutlookParts {
  readonly loader: AnyLoader;
  readonly stats: LoaderStatsStore;
  readonly queue: RefreshQueue;
  readonly clock: Clock;
  readonly tickMs: number;
  readonly claimTtlMs: number;
  /** What the fleet knows of the loader's origin. */
  readonly originState: () => Promise<Pick<OriginState, 'isLimiting'> | null>;
}

/** What the fleet's counters say of one loader: how long it takes, how long jobs wait, how many fit. */
export class Outlook {
  readonly #parts: OutlookParts;
  readonly #backlog = new Backlog();
  #seenLoadMs: number | null = null;
  #load: Smoothed | null = null;
  #wait: Smoothed | null = null;
  #threshold: number;
  #isLimited = false;
  #updatedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: OutlookParts) {
    this.#parts = parts;
    this.#threshold = parts.loader.refresh.threshold ?? DEFAULTS.threshold;
  }

  /** The loader's load time, for keys that have none of their own. */
  get load(): Smoothed | null {
    return this.#load;
  }

  get wait(): Smoothed | null {
    return this.#wait;
  }

  /** θ: the loader's own, or the one all its schedulers move together. */
  get threshold(): number {
    return this.#threshold;
  }

  /** Share of a life that a lead may take. */
  get mostLeadShare(): number {
    return this.#isLimited ? MOST_OF_LIFE_LIMITED : MOST_OF_LIFE;
  }

  /** How many more keys may be enqueued now. */
  get room(): number {
    return this.#backlog.room;
  }

  /** Jobs wait so long that their claims run out before a worker gets to them. */
  get isBehind(): boolean {
    return (this.#wait?.meanMs ?? 0) > this.#claimTtlMs(null) / 2;
  }

  /** How long a claim lasts: long enough for its keys to land. */
  get claimTtlMs(): number {
    return this.#claimTtlMs(this.#wait);
  }

  /** Keys that will be outstanding; rejects, and counts nothing, when Redis fails. */
  async addEnqueued(keys: number): Promise<void> {
    await this.#parts.stats.addEnqueued(keys);
    this.#backlog.add(keys);
  }

  /** Keys counted as enqueued that could not be. */
  takeBack(keys: number): void {
    this.#backlog.add(-keys);
    this.#parts.stats.addFinished(keys).catch(() => undefined); // Written off when the queue is empty.
  }

  /** Reads the counters, if the last ones are older than a second. */
  async updateIfStale(): Promise<void> {
    if (this.#parts.clock.now() - this.#updatedAtMs >= STALE_AFTER_MS) await this.update();
  }

  /** How long the loads took of the entries to refresh: known before any worker has told of the loader. */
  heedLoads(headers: readonly (EntryHeader | null)[]): void {
    const known = headers.filter((header) => header !== null);
    const sumMs = known.reduce((sum, { load }) => sum + load.meanMs, 0);
    this.#seenLoadMs = known.length > 0 ? sumMs / known.length : null;
  }

  async update(): Promise<void> {
    const { stats, clock, queue, originState } = this.#parts;
    const [known, origin] = await Promise.all([stats.read(), originState()]);
    this.#isLimited = origin?.isLimiting ?? false;
    const nowMs = clock.now();
    const wasStale = nowMs - this.#updatedAtMs >= STALE_AFTER_MS;
    this.#updatedAtMs = nowMs;
    this.#load = known.load;
    this.#wait = queueWaitOf(known, nowMs);
    // Not the wait: it is as long as the backlog is, and a backlog that grew with it would grow for ever.
    this.#backlog.update(known, { nowMs, claimTtlMs: this.#claimTtlMs(null) });
    this.#backlog.minimum = this.#firstWave();
    // Keys of jobs that died would count as outstanding for ever.
    const left = known.enqueuedKeys - known.finishedKeys;
    const looksWrong = left < 0 || left > this.#backlog.limit / 2;
    if (wasStale && looksWrong && (await queue.isEmpty())) await stats.addFinished(left);
    await this.#followWaste(known, nowMs);
  }

  /** The least while workers are behind, and where the origin says what it bears: others may be using it up. */
  #firstWave(): number {
    const isKnown = this.#load !== null || this.#seenLoadMs !== null;
    const mayBeMore = isKnown && !this.isBehind && !this.#parts.loader.origin;
    const loadMs = Math.max(this.#load?.meanMs ?? 0, this.#seenLoadMs ?? 0);
    const claimTtlMs = this.#claimTtlMs(null);
    return firstWave({ loadMs: mayBeMore ? loadMs : null, claimTtlMs });
  }

  async #followWaste({ judged, waste }: LoaderStats, nowMs: number): Promise<void> {
    const { loader, stats } = this.#parts;
    const { threshold, wasteBudget } = loader.refresh;
    if (threshold !== null) return;
    const control = waste ?? START;
    this.#threshold = control.threshold;
    const next = moveThreshold(control, judged, wasteBudget);
    if (next && (await stats.moveThreshold(waste, next, nowMs))) this.#threshold = next.threshold;
  }

  #claimTtlMs(wait: Smoothed | null): number {
    const { loader, tickMs, claimTtlMs } = this.#parts;
    const { ttlMs } = loader;
    const lead = leadMs({ load: this.#load, wait, tickMs, ttlMs, minLeadMs: 0 });
    return claimMs(claimTtlMs, lead);
  }
}

/** θ: the loader's own, or the one its schedulers have moved; at first the default. */
export function thresholdOf(
  { refresh }: Pick<AnyLoader, 'refresh'>,
  { waste }: Pick<LoaderStats, 'waste'>,
): number {
  return refresh.threshold ?? waste?.threshold ?? DEFAULTS.threshold;
}

/** What is left by now of the queue wait that workers saw last. */
export function queueWaitOf({ wait, waitAtMs }: LoaderStats, nowMs: number): Smoothed | null {
  return wait && decay(wait, nowMs - waitAtMs, WAIT_HALF_LIFE_MS);
}
