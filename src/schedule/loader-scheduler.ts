import type { RefreshMode } from '../config/refresh-mode.ts';
import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { Told } from '../core/spans.ts';
import type { Tracing } from '../core/tracing.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { RefreshQueue } from '../queue/refresh-queue.ts';
import type { Claim, ClaimedKey } from '../redis/claim.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import type { LoaderStatsStore } from '../redis/loader-stats.ts';
import type { Tracker } from '../redis/tracker.ts';
import type { CacheHealth } from './cache-watch.ts';
import { type Candidate, duesOf, livesEnded, mostValuable, toRefresh } from './candidate.ts';
import { Healing } from './healing.ts';
import { KeyPlanner } from './key-planner.ts';
import { Outlook, type OutlookParts } from './outlook.ts';
import { shadow } from './shadow.ts';

/*
 * One tick:  claim due keys → read their headers → plan each → enqueue what is worth it → settle the rest.
 * An enqueued key stays claimed until its worker re-arms it; if none does, the claim runs out and the key
 * is looked at again. So nothing here needs to be remembered, and a scheduler may die at any point.
 */

const CLAIM_LIMIT = 1_000;
const TRIM_MS = 10_000;
const TRIM_CHUNKS = 20;
const LEAST_CLAIMED = 50;
/** When to look again at keys that could not be planned because the cache server is away. */
const RETRY_MS = 1_000;

export interface LoaderSchedulerParts {
  readonly loader: AnyLoader;
  readonly keys: Keys;
  readonly tracker: Tracker;
  readonly store: EntryStore;
  readonly stats: LoaderStatsStore;
  readonly originState: OutlookParts['originState'];
  readonly queue: RefreshQueue;
  readonly clock: Clock;
  readonly events: Events;
  /** @defaultValue nobody traces */
  readonly tracing?: Tracing | null;
  readonly tickMs: number;
  readonly claimTtlMs: number;
  readonly maxTrackedKeys: number;
  readonly mode: RefreshMode;
}

const NOTHING = { claimed: 0, enqueued: 0, shadowed: 0, waiting: 0, dropped: 0 };
const KINDS = Object.keys(NOTHING) as (keyof Tally)[];

interface Tally {
  claimed: number;
  enqueued: number;
  shadowed: number;
  waiting: number;
  dropped: number;
}

/** Decides for one loader, tick by tick, which of its keys to refresh. */
export class LoaderScheduler {
  readonly #parts: LoaderSchedulerParts;
  readonly #outlook: Outlook;
  readonly #planner: KeyPlanner;
  readonly #healing: Healing;
  #trimmedAtMs = 0;
  /** This tick found less room than there is to refresh. */
  #hasLeft = false;

  constructor(parts: LoaderSchedulerParts) {
    this.#parts = parts;
    const { loader, tracker, tickMs } = parts;
    this.#outlook = new Outlook(parts);
    this.#healing = new Healing(tracker);
    this.#planner = new KeyPlanner({ loader, tickMs, outlook: this.#outlook });
  }

  /** Runs one tick; answers when the next key is due, epoch ms, or null. Rejects when Redis fails. */
  async tick(): Promise<number | null> {
    const { clock, tracker, events, loader } = this.#parts;
    const startedAtMs = clock.now();
    this.#hasLeft = false;
    const limit = await this.#claimLimit();
    const tally = { ...NOTHING };
    let claim: Claim;
    do {
      const { claimTtlMs } = this.#outlook;
      claim = await tracker.claim({ nowMs: clock.now(), claimTtlMs, limit });
      if (claim.keys.length > 0) await this.#traced(claim, tally);
    } while (claim.keys.length === limit && this.#outlook.room > 0);
    await this.#healing.goOn(clock.now(), this.#hasLeft || claim.keys.length === limit);
    await this.#trim(startedAtMs);
    const tickMs = clock.now() - startedAtMs;
    events.emit('tick:completed', { loader: loader.name, ...tally, tickMs });
    // What found no room was given back after the claim told what is due next.
    return this.#hasLeft ? startedAtMs : claim.nextDueAtMs;
  }

  /** Takes in the state of the cache server: an evicting one is spared. */
  heed({ isEvicting }: CacheHealth): void {
    this.#planner.mayReload = !isEvicting;
  }

  /** The cache server was wiped: its hottest keys are loaded again, hottest first, as fast as workers can. */
  async heal(): Promise<void> {
    this.#planner.forgetReloads();
    await this.#healing.begin(this.#parts.clock.now());
  }

  /** There are keys of a wiped cache that had no room yet. */
  get isHealing(): boolean {
    return this.#healing.isUnderWay;
  }

  /** While a wiped cache heals, only what there is room for: the hottest are due first, and a tick is soon over. */
  async #claimLimit(): Promise<number> {
    if (!this.isHealing) {
      await this.#outlook.updateIfStale();
      return CLAIM_LIMIT;
    }
    await this.#outlook.update();
    return Math.min(CLAIM_LIMIT, Math.max(LEAST_CLAIMED, this.#outlook.room));
  }

  /** After a step of the server's clock: what is due farther off than anything is planned is due now. */
  async pullBack(): Promise<void> {
    const { loader, tracker } = this.#parts;
    const farthestMs = Math.max(loader.ttlMs, this.#outlook.claimTtlMs);
    while (await tracker.pullBack(farthestMs));
  }

  /** A span for each claim, so that no trace has more than its keys: its jobs and their loads are parts of it. */
  async #traced(claim: Claim, tally: Tally): Promise<void> {
    const { tracing = null, loader } = this.#parts;
    if (tracing === null) return this.#work(claim, tally);
    const ofClaim = { ...NOTHING };
    const tell = (): Told => ({ attributes: { loader: loader.name, ...ofClaim } });
    await tracing.inSpan('everwarm.tick', () => this.#work(claim, ofClaim), tell);
    for (const kind of KINDS) tally[kind] += ofClaim[kind];
  }

  async #work(claim: Claim, tally: Tally): Promise<void> {
    const { loader, keys, store, stats, tracker } = this.#parts;
    tally.claimed += claim.keys.length;
    let headers: (EntryHeader | null | undefined)[];
    try {
      headers = await store.headers(claim.keys.map(({ key }) => keys.entry(loader, key)));
    } catch (error) {
      const againAtMs = this.#parts.clock.now() + RETRY_MS;
      await tracker.settle(claim, new Map(claim.keys.map(({ key }) => [key, againAtMs])));
      throw error;
    }
    const nowMs = this.#parts.clock.now();
    const trackerAgeMs = nowMs - (claim.bornAtMs ?? nowMs);
    this.#planner.startAt(nowMs);
    const candidates: Candidate[] = [];
    const unanswered: ClaimedKey[] = [];
    for (const [at, claimed] of claim.keys.entries()) {
      const header = headers[at];
      if (header === undefined) unanswered.push(claimed);
      else {
        const plan = this.#planner.plan({ claimed, header, nowMs, trackerAgeMs });
        candidates.push({ claimed, header, plan });
      }
    }
    const shadowed = this.#shadow(candidates, nowMs);
    const chosen = await this.#choose(candidates);
    const dues = new Map([...duesOf(candidates, chosen, nowMs), ...shadowed]);
    for (const { key } of unanswered) dues.set(key, nowMs + RETRY_MS);
    await this.#enqueue(claim, chosen, dues);
    // A count that is lost only makes the threshold follow waste later.
    const judged = stats.addJudged(livesEnded(candidates, dues)).catch(() => undefined);
    await Promise.all([tracker.settle(claim, dues), judged]);
    tally.enqueued += claim.keys.length - dues.size;
    tally.shadowed += shadowed.size;
    tally.waiting -= shadowed.size;
    for (const due of dues.values()) {
      if (due === null) tally.dropped++;
      else tally.waiting++;
    }
  }

  #shadow(candidates: readonly Candidate[], nowMs: number): ReadonlyMap<string, number> {
    return this.#parts.mode === 'shadow' ? shadow(candidates, nowMs, this.#parts) : new Map();
  }

  /** The most valuable refreshes there is room for; none in shadow mode. */
  async #choose(candidates: readonly Candidate[]): Promise<ReadonlySet<Candidate>> {
    const worth = candidates.filter(({ plan }) => plan.kind === 'refresh');
    if (worth.length === 0 || this.#parts.mode === 'shadow') return new Set();
    this.#outlook.heedLoads(worth.map(({ header }) => header));
    await this.#outlook.update();
    const { room } = this.#outlook;
    this.#hasLeft ||= worth.length > room;
    return mostValuable(worth, room);
  }

  /** Enqueues the chosen keys, while their claim lasts; otherwise gives them back in `dues`. */
  async #enqueue(
    claim: Claim,
    chosen: ReadonlySet<Candidate>,
    dues: Map<string, number | null>,
  ): Promise<void> {
    if (chosen.size === 0) return;
    const { clock, queue, events } = this.#parts;
    const nowMs = clock.now();
    const { isBehind } = this.#outlook;
    const refreshes = [...chosen]
      .map((candidate) => toRefresh(candidate, isBehind))
      .sort((a, b) => a.expiresAtMs - b.expiresAtMs);
    let counted = 0;
    try {
      if (nowMs >= claim.untilMs)
        throw new Error('the claim ran out before its keys were enqueued');
      // Counted first: a job that finishes before it was counted would make room for one too many.
      await this.#outlook.addEnqueued(refreshes.length);
      counted = refreshes.length;
      await queue.enqueue(refreshes, { nowMs, deadlineAtMs: claim.untilMs });
    } catch (error) {
      events.emit('redis:failed', { role: 'queue', error });
      if (counted > 0) this.#outlook.takeBack(counted);
      for (const { key } of refreshes) dues.set(key, nowMs + this.#parts.tickMs);
      return;
    }
    for (const { key, expiresAtMs } of refreshes) {
      if (expiresAtMs === 0) this.#planner.reloaded(key);
    }
  }

  async #trim(nowMs: number): Promise<void> {
    if (nowMs - this.#trimmedAtMs < TRIM_MS) return;
    this.#trimmedAtMs = nowMs;
    const { tracker, maxTrackedKeys } = this.#parts;
    for (let chunk = 0; chunk < TRIM_CHUNKS; chunk++) {
      if (!(await tracker.trim(nowMs, maxTrackedKeys))) return;
    }
  }
}
