import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { type Plan, type PlanSettings, plan } from '../policy/plan.ts';
import { livesVary } from '../policy/varying-life.ts';
import type { Refresh, RefreshQueue } from '../queue/refresh-queue.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import type { LoaderStatsStore } from '../redis/loader-stats.ts';
import type { Claim, ClaimedKey, Tracker } from '../redis/tracker.ts';
import type { CacheHealth } from './cache-watch.ts';
import { Healing } from './healing.ts';
import { Outlook, type OutlookParts } from './outlook.ts';

/*
 * One tick:  claim due keys → read their headers → plan each → enqueue what is worth it → settle the rest.
 * An enqueued key stays claimed until its worker re-arms it; if none does, the claim runs out and the key
 * is looked at again. So nothing here needs to be remembered, and a scheduler may die at any point.
 */

const CLAIM_LIMIT = 1_000;
const TRIM_MS = 10_000;
const TRIM_CHUNKS = 20;
const REMEMBERED_RELOADS = 10_000;
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
  readonly tickMs: number;
  readonly claimTtlMs: number;
  readonly maxTrackedKeys: number;
}

interface Look {
  readonly claimed: ClaimedKey;
  readonly header: EntryHeader | null;
  readonly nowMs: number;
  readonly trackerAgeMs: number;
}

interface Candidate {
  readonly claimed: ClaimedKey;
  readonly header: EntryHeader | null;
  readonly plan: Plan;
}

interface Tally {
  claimed: number;
  enqueued: number;
  waiting: number;
  dropped: number;
}

/** Decides for one loader, tick by tick, which of its keys to refresh. */
export class LoaderScheduler {
  readonly #parts: LoaderSchedulerParts;
  readonly #outlook: Outlook;
  readonly #reloads: LRUCache<string, true>;
  readonly #settings: PlanSettings;
  #trimmedAtMs = 0;
  #mayReload = true;
  /** This tick found less room than there is to refresh. */
  #hasLeft = false;
  readonly #healing: Healing;

  constructor(parts: LoaderSchedulerParts) {
    this.#parts = parts;
    this.#outlook = new Outlook(parts);
    this.#healing = new Healing(parts.tracker);
    const { loader, tracker, tickMs } = parts;
    const { ttlMs, refresh } = loader;
    this.#reloads = new LRUCache({ max: REMEMBERED_RELOADS, ttl: Math.ceil(ttlMs) });
    const { halfLifeMs } = tracker;
    this.#settings = { ...refresh, ttlMs, livesVary: livesVary(loader), halfLifeMs, tickMs };
  }

  /** Runs one tick; answers when the next key is due, epoch ms, or null. Rejects when Redis fails. */
  async tick(): Promise<number | null> {
    const { clock, tracker, events, loader } = this.#parts;
    const startedAtMs = clock.now();
    this.#hasLeft = false;
    const limit = await this.#claimLimit();
    const tally: Tally = { claimed: 0, enqueued: 0, waiting: 0, dropped: 0 };
    let claim: Claim;
    do {
      const { claimTtlMs } = this.#outlook;
      claim = await tracker.claim({ nowMs: clock.now(), claimTtlMs, limit });
      if (claim.keys.length > 0) await this.#work(claim, tally);
    } while (claim.keys.length === limit && this.#outlook.room > 0);
    await this.#healing.goOn(clock.now(), this.#hasLeft || claim.keys.length === limit);
    await this.#trim(startedAtMs);
    const tickMs = clock.now() - startedAtMs;
    events.emit('tick:completed', { loader: loader.name, ...tally, tickMs });
    // What found no room was given back after the claim told what is due next.
    return this.#hasLeft ? startedAtMs : claim.nextDueAtMs;
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

  /** Takes in the state of the cache server: an evicting one is spared. */
  heed({ isEvicting }: CacheHealth): void {
    this.#mayReload = !isEvicting;
  }

  /** The cache server was wiped: its hottest keys are loaded again, hottest first, as fast as workers can. */
  async heal(): Promise<void> {
    this.#reloads.clear();
    await this.#healing.begin(this.#parts.clock.now());
  }

  /** There are keys of a wiped cache that had no room yet. */
  get isHealing(): boolean {
    return this.#healing.isUnderWay;
  }

  async #work(claim: Claim, tally: Tally): Promise<void> {
    const { loader, keys, store, tracker } = this.#parts;
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
    const candidates: Candidate[] = [];
    const unanswered: ClaimedKey[] = [];
    for (const [at, claimed] of claim.keys.entries()) {
      const header = headers[at];
      if (header === undefined) unanswered.push(claimed);
      else {
        const plan = this.#plan({ claimed, header, nowMs, trackerAgeMs });
        candidates.push({ claimed, header, plan });
      }
    }
    const chosen = await this.#choose(candidates);
    const dues = duesOf(candidates, chosen, nowMs);
    for (const { key } of unanswered) dues.set(key, nowMs + RETRY_MS);
    await this.#enqueue(claim, chosen, dues);
    await tracker.settle(claim, dues);
    tally.enqueued += claim.keys.length - dues.size;
    for (const due of dues.values()) {
      if (due === null) tally.dropped++;
      else tally.waiting++;
    }
  }

  #plan(look: Look): Plan {
    const { claimed, header, nowMs, trackerAgeMs } = look;
    return plan({
      header,
      nowMs,
      trackerAgeMs,
      settings: this.#settings,
      loaderLoad: this.#outlook.load,
      wait: this.#outlook.wait,
      mostLeadShare: this.#outlook.mostLeadShare,
      reloadedWithinTtl: !this.#mayReload || this.#wasReloaded(claimed),
      // Last: V8 takes microseconds to add fields after a spread, and this runs for every due key.
      ...claimed,
    });
  }

  // One try that failed is not a reload: its backoff says when to try again.
  #wasReloaded({ key, after }: ClaimedKey): boolean {
    return after !== 'backoff' && this.#reloads.has(key);
  }

  /** The most valuable refreshes there is room for. */
  async #choose(candidates: readonly Candidate[]): Promise<ReadonlySet<Candidate>> {
    const worth = candidates.filter(({ plan }) => plan.kind === 'refresh');
    if (worth.length === 0) return new Set();
    await this.#outlook.update();
    const { room } = this.#outlook;
    if (worth.length > room) {
      this.#hasLeft = true;
      worth.sort((a, b) => readsSaved(b) - readsSaved(a));
    }
    return new Set(worth.slice(0, room));
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
      if (expiresAtMs === 0) this.#reloads.set(key, true);
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

function readsSaved({ plan }: Candidate): number {
  return plan.kind === 'refresh' ? plan.valueReads : 0;
}

function toRefresh({ claimed, header, plan }: Candidate, isBehind: boolean): Refresh {
  const { expiresAtMs, unreadLives } =
    plan.kind === 'refresh' ? plan : { expiresAtMs: 0, unreadLives: 0 };
  return {
    key: claimed.key,
    seenCreatedAtMs: header?.createdAtMs ?? 0,
    logHeat: claimed.logHeat ?? Number.NaN,
    unreadLives,
    expiresAtMs,
    // Behind, a claim runs out because its job waits; else because its job died, perhaps of this key.
    isAlone: claimed.after === 'lost-claim' && !isBehind,
  };
}

/** When to look next at each key that is not refreshed now; a refresh there is no room for stays due. */
function duesOf(
  candidates: readonly Candidate[],
  chosen: ReadonlySet<Candidate>,
  nowMs: number,
): Map<string, number | null> {
  const dues = new Map<string, number | null>();
  for (const candidate of candidates) {
    if (chosen.has(candidate)) continue;
    const { claimed, plan } = candidate;
    if (plan.kind === 'drop') dues.set(claimed.key, null);
    else dues.set(claimed.key, plan.kind === 'wait' ? plan.untilMs : nowMs);
  }
  return dues;
}
