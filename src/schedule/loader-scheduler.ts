import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Plan } from '../policy/plan.ts';
import type { Lives } from '../policy/waste.ts';
import type { Refresh, RefreshQueue } from '../queue/refresh-queue.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import type { LoaderStatsStore } from '../redis/loader-stats.ts';
import type { Claim, ClaimedKey, Tracker } from '../redis/tracker.ts';
import type { CacheHealth } from './cache-watch.ts';
import { KeyPlanner } from './key-planner.ts';
import { Outlook } from './outlook.ts';

/*
 * One tick:  claim due keys → read their headers → plan each → enqueue what is worth it → settle the rest.
 * An enqueued key stays claimed until its worker re-arms it; if none does, the claim runs out and the key
 * is looked at again. So nothing here needs to be remembered, and a scheduler may die at any point.
 */

const CLAIM_LIMIT = 1_000;
const TRIM_MS = 10_000;
const TRIM_CHUNKS = 20;
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
  readonly #planner: KeyPlanner;
  #trimmedAtMs = 0;

  constructor(parts: LoaderSchedulerParts) {
    this.#parts = parts;
    const { loader, tracker, tickMs } = parts;
    const { halfLifeMs } = tracker;
    this.#outlook = new Outlook(parts);
    this.#planner = new KeyPlanner({ loader, halfLifeMs, tickMs, outlook: this.#outlook });
  }

  /** Runs one tick; answers when the next key is due, epoch ms, or null. Rejects when Redis fails. */
  async tick(): Promise<number | null> {
    const { clock, tracker, events, loader } = this.#parts;
    const startedAtMs = clock.now();
    await this.#outlook.updateIfStale();
    const tally: Tally = { claimed: 0, enqueued: 0, waiting: 0, dropped: 0 };
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
    this.#planner.mayReload = !isEvicting;
    if (!wasWiped) return;
    this.#planner.forgetReloads();
    await this.#parts.tracker.wakeHottest(this.#parts.clock.now(), WOKEN_AFTER_WIPE);
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
    const chosen = await this.#choose(candidates);
    const dues = duesOf(candidates, chosen, nowMs);
    for (const { key } of unanswered) dues.set(key, nowMs + RETRY_MS);
    await this.#enqueue(claim, chosen, dues);
    // A count that is lost only makes the threshold follow waste later.
    const judged = stats.addJudged(livesEnded(candidates, dues)).catch(() => undefined);
    await Promise.all([tracker.settle(claim, dues), judged]);
    tally.enqueued += claim.keys.length - dues.size;
    for (const due of dues.values()) {
      if (due === null) tally.dropped++;
      else tally.waiting++;
    }
  }

  /** The most valuable refreshes there is room for. */
  async #choose(candidates: readonly Candidate[]): Promise<ReadonlySet<Candidate>> {
    const worth = candidates.filter(({ plan }) => plan.kind === 'refresh');
    if (worth.length === 0) return new Set();
    await this.#outlook.update();
    const { room } = this.#outlook;
    if (worth.length > room) worth.sort((a, b) => readsSaved(b) - readsSaved(a));
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

/** What became of the lives that these plans end; a key that comes back from a lost job or a backoff was judged before. */
function livesEnded(
  candidates: readonly Candidate[],
  dues: ReadonlyMap<string, number | null>,
): Lives {
  let used = 0;
  let wasted = 0;
  for (const { claimed, plan } of candidates) {
    if (plan.kind === 'wait' || claimed.after !== 'look') continue;
    const isPutOff = plan.kind === 'refresh' && dues.has(claimed.key);
    if (isPutOff) continue;
    if (plan.ended === 'used') used++;
    else if (plan.ended === 'wasted') wasted++;
  }
  return { used, wasted };
}
