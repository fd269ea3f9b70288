import { LRUCache } from 'lru-cache';
import type { RefreshMode } from '../config/refresh-mode.ts';
import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { type Plan, type PlanSettings, plan } from '../policy/plan.ts';
import type { RefreshQueue } from '../queue/refresh-queue.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import type { LoaderStatsStore } from '../redis/loader-stats.ts';
import type { Claim, ClaimedKey, Tracker } from '../redis/tracker.ts';
import type { CacheHealth } from './cache-watch.ts';
import { type Candidate, duesOf, mostValuable, toRefresh } from './candidate.ts';
import { Outlook } from './outlook.ts';
import { planSettingsOf } from './plan-settings.ts';
import { shadow } from './shadow.ts';

/*
 * One tick:  claim due keys → read their headers → plan each → enqueue what is worth it → settle the rest.
 * An enqueued key stays claimed until its worker re-arms it; if none does, the claim runs out and the key
 * is looked at again. So nothing here needs to be remembered, and a scheduler may die at any point.
 */

const CLAIM_LIMIT = 1_000;
const TRIM_MS = 10_000;
const TRIM_CHUNKS = 20;
const REMEMBERED_RELOADS = 10_000;
/** More would take the origin longer than their readers wait. */
const WOKEN_AFTER_WIPE = 2_000;
/** When to look again at keys that could not be planned because the cache server is away. */
const RETRY_MS = 1_000;

export interface LoaderSchedulerParts {
  readonly loader: AnyLoader;
  readonly keys: Keys;
  readonly tracker: Tracker;
  readonly store: EntryStore;
  readonly stats: LoaderStatsStore;
  readonly queue: RefreshQueue;
  readonly clock: Clock;
  readonly events: Events;
  readonly tickMs: number;
  readonly claimTtlMs: number;
  readonly maxTrackedKeys: number;
  readonly mode: RefreshMode;
}

interface Look {
  readonly claimed: ClaimedKey;
  readonly header: EntryHeader | null;
  readonly nowMs: number;
  readonly trackerAgeMs: number;
}

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
  readonly #reloads: LRUCache<string, true>;
  readonly #settings: PlanSettings;
  #trimmedAtMs = 0;
  #mayReload = true;

  constructor(parts: LoaderSchedulerParts) {
    this.#parts = parts;
    this.#outlook = new Outlook(parts);
    const { loader, tickMs } = parts;
    this.#reloads = new LRUCache({ max: REMEMBERED_RELOADS, ttl: Math.ceil(loader.ttlMs) });
    this.#settings = planSettingsOf(loader, tickMs);
  }

  /** Runs one tick; answers when the next key is due, epoch ms, or null. Rejects when Redis fails. */
  async tick(): Promise<number | null> {
    const { clock, tracker, events, loader } = this.#parts;
    const startedAtMs = clock.now();
    await this.#outlook.updateIfStale();
    const tally: Tally = { claimed: 0, enqueued: 0, shadowed: 0, waiting: 0, dropped: 0 };
    let claim: Claim;
    do {
      claim = await tracker.claim({
        nowMs: clock.now(),
        claimTtlMs: this.#outlook.claimTtlMs,
        limit: CLAIM_LIMIT,
      });
      if (claim.keys.length > 0) await this.#work(claim, tally);
    } while (claim.keys.length === CLAIM_LIMIT && this.#outlook.room > 0);
    await this.#trim(startedAtMs);
    const tickMs = clock.now() - startedAtMs;
    events.emit('tick:completed', { loader: loader.name, ...tally, tickMs });
    return claim.nextDueAtMs;
  }

  /** Takes in the state of the cache server: a wiped one is filled again, an evicting one is spared. */
  async heed({ isEvicting, wasWiped }: CacheHealth): Promise<void> {
    this.#mayReload = !isEvicting;
    if (!wasWiped) return;
    this.#reloads.clear();
    await this.#parts.tracker.wakeHottest(this.#parts.clock.now(), WOKEN_AFTER_WIPE);
  }

  /** After a step of the server's clock: what is due farther off than anything is planned is due now. */
  async pullBack(): Promise<void> {
    const { loader, tracker } = this.#parts;
    const farthestMs = Math.max(loader.ttlMs, this.#outlook.claimTtlMs);
    while (await tracker.pullBack(farthestMs));
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
    const shadowed = this.#shadow(candidates, nowMs);
    const chosen = await this.#choose(candidates);
    const dues = new Map([...duesOf(candidates, chosen, nowMs), ...shadowed]);
    for (const { key } of unanswered) dues.set(key, nowMs + RETRY_MS);
    await this.#enqueue(claim, chosen, dues);
    await tracker.settle(claim, dues);
    tally.enqueued += claim.keys.length - dues.size;
    tally.shadowed += shadowed.size;
    tally.waiting -= shadowed.size;
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
      reloadedWithinTtl: !this.#mayReload || this.#wasReloaded(claimed),
      // Last: V8 takes microseconds to add fields after a spread, and this runs for every due key.
      ...claimed,
    });
  }

  // One try that failed is not a reload: its backoff says when to try again.
  #wasReloaded({ key, after }: ClaimedKey): boolean {
    return after !== 'backoff' && this.#reloads.has(key);
  }

  #shadow(candidates: readonly Candidate[], nowMs: number): ReadonlyMap<string, number> {
    return this.#parts.mode === 'shadow' ? shadow(candidates, nowMs, this.#parts) : new Map();
  }

  /** The most valuable refreshes there is room for; none in shadow mode. */
  async #choose(candidates: readonly Candidate[]): Promise<ReadonlySet<Candidate>> {
    const worth = candidates.filter(({ plan }) => plan.kind === 'refresh');
    if (worth.length === 0 || this.#parts.mode === 'shadow') return new Set();
    await this.#outlook.update();
    return mostValuable(worth, this.#outlook.room);
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
