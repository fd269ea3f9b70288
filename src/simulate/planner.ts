import { MOST_OF_LIFE } from '../policy/lead-time.ts';
import type { Smoothed } from '../policy/load-time.ts';
import {
  type EndedLife,
  type Plan,
  type PlanHeader,
  type PlanSettings,
  plan,
} from '../policy/plan.ts';
import { PlannedRefreshes } from '../policy/planned-refreshes.ts';
import { moveThreshold, type WasteControl } from '../policy/waste.ts';

/** A due key, and what is known of it. */
export interface DueKey {
  readonly key: string;
  readonly header: PlanHeader | null;
  readonly logHeat: number | null;
  readonly nowMs: number;
  readonly trackerAgeMs: number;
  /** As workers have seen it. */
  readonly loaderLoad: Smoothed | null;
  readonly reloadedWithinTtl: boolean;
}

export interface PlannerSettings {
  readonly plan: PlanSettings;
  /** θ where it begins, or where it stays. */
  readonly threshold: number;
  /** Null: θ stays; else the share of wasted lives that it follows. */
  readonly wasteBudget: number | null;
}

const MOVE_MS = 1_000;
const NO_LIVES = { used: 0, wasted: 0 };

/** Decides about due keys, with what a scheduler remembers from look to look and what the fleet counts. */
export class Planner {
  readonly #settings: PlannerSettings;
  readonly #planned: PlannedRefreshes;
  readonly #judged = { used: 0, wasted: 0 };
  #control: WasteControl;
  #movedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: PlannerSettings) {
    this.#settings = settings;
    this.#planned = new PlannedRefreshes(settings.plan.ttlMs);
    this.#control = { threshold: settings.threshold, recent: NO_LIVES, counted: NO_LIVES };
  }

  /** Before the due keys of a tick. */
  startAt(nowMs: number): void {
    this.#planned.forgetBefore(nowMs);
    const { wasteBudget } = this.#settings;
    if (wasteBudget === null || nowMs - this.#movedAtMs < MOVE_MS) return;
    this.#movedAtMs = nowMs;
    const judged = { ...this.#judged };
    this.#control = moveThreshold(this.#control, judged, wasteBudget) ?? this.#control;
  }

  plan(due: DueKey): Plan {
    const { key, header, logHeat, nowMs, trackerAgeMs, loaderLoad, reloadedWithinTtl } = due;
    const made = plan({
      header,
      logHeat,
      key,
      nowMs,
      trackerAgeMs,
      settings: this.#settings.plan,
      threshold: this.#control.threshold,
      plannedAt: this.#planned.at,
      loaderLoad,
      // Workers are always free.
      wait: null,
      mostLeadShare: MOST_OF_LIFE,
      reloadedWithinTtl,
    });
    if (made.kind !== 'wait') this.#book(made.ended);
    else if (made.why === 'early') this.#planned.add(made.untilMs);
    return made;
  }

  #book(ended: EndedLife): void {
    if (ended !== null) this.#judged[ended]++;
  }
}
