import { LRUCache } from 'lru-cache';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { type Plan, type PlanSettings, plan } from '../policy/plan.ts';
import { PlannedRefreshes } from '../policy/planned-refreshes.ts';
import type { ClaimedKey } from '../redis/claim.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { Outlook } from './outlook.ts';
import { planSettingsOf } from './plan-settings.ts';

const REMEMBERED_RELOADS = 10_000;

/** A due key, what its entry says, and when. */
export interface Look {
  readonly claimed: ClaimedKey;
  readonly header: EntryHeader | null;
  readonly nowMs: number;
  readonly trackerAgeMs: number;
}

export interface KeyPlannerParts {
  readonly loader: AnyLoader;
  readonly tickMs: number;
  readonly outlook: Outlook;
}

/**
 * Plans the due keys of one loader, with what its scheduler remembers from look to look: what it has
 * planned, and what it has reloaded. Losing that costs nothing but a busier second or a load too many.
 */
export class KeyPlanner {
  readonly #outlook: Outlook;
  readonly #settings: PlanSettings;
  readonly #planned: PlannedRefreshes;
  readonly #reloads: LRUCache<string, true>;
  /** Not while the cache server evicts: what is loaded again then only evicts something else. */
  mayReload = true;

  constructor({ loader, tickMs, outlook }: KeyPlannerParts) {
    const { ttlMs } = loader;
    this.#settings = planSettingsOf(loader, tickMs);
    this.#outlook = outlook;
    this.#planned = new PlannedRefreshes(ttlMs);
    this.#reloads = new LRUCache({ max: REMEMBERED_RELOADS, ttl: Math.ceil(ttlMs) });
  }

  /** Before the keys of a claim: what was planned for the past is over. */
  startAt(nowMs: number): void {
    this.#planned.forgetBefore(nowMs);
  }

  plan({ claimed, header, nowMs, trackerAgeMs }: Look): Plan {
    const made = plan({
      header,
      nowMs,
      trackerAgeMs,
      settings: this.#settings,
      threshold: this.#outlook.threshold,
      plannedAt: this.#planned.at,
      loaderLoad: this.#outlook.load,
      wait: this.#outlook.wait,
      mostLeadShare: this.#outlook.mostLeadShare,
      reloadedWithinTtl: !this.mayReload || this.#wasReloaded(claimed),
      key: claimed.key,
      logHeat: claimed.logHeat,
    });
    if (made.kind === 'wait' && made.why === 'early') this.#planned.add(made.untilMs);
    return made;
  }

  /** A missing entry is being loaded: not again within a ttl. */
  reloaded(key: string): void {
    this.#reloads.set(key, true);
  }

  /** After a wipe every entry may be loaded again. */
  forgetReloads(): void {
    this.#reloads.clear();
  }

  // One try that failed is not a reload: its backoff says when to try again.
  #wasReloaded({ key, after }: ClaimedKey): boolean {
    return after !== 'backoff' && this.#reloads.has(key);
  }
}
