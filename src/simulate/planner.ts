import type { Smoothed } from '../policy/load-time.ts';
import { type Plan, type PlanHeader, type PlanSettings, plan } from '../policy/plan.ts';

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

/** Decides about due keys: the one place where what a scheduler knows beside the key comes in. */
export class Planner {
  readonly #settings: PlanSettings;

  constructor(settings: PlanSettings) {
    this.#settings = settings;
  }

  plan(due: DueKey): Plan {
    const { key, header, logHeat, nowMs, trackerAgeMs, loaderLoad, reloadedWithinTtl } = due;
    return plan({
      header,
      logHeat,
      key,
      nowMs,
      trackerAgeMs,
      settings: this.#settings,
      loaderLoad,
      // Workers are always free.
      wait: null,
      reloadedWithinTtl,
    });
  }
}
