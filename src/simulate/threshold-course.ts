import type { Plan, PlanHeader } from '../policy/plan.ts';

/** A look at a key and what was decided: its header tells whether the life before was read. */
export interface Decided {
  readonly header: PlanHeader | null;
  readonly decided: Plan;
  readonly nowMs: number;
}

/** The threshold that plans go by, and what it learns from them. */
export interface Threshold {
  readonly current: number;
  heed(look: Decided): void;
}

/** One that stays as it is, whatever is wasted. */
export function fixedThreshold(current: number): Threshold {
  return { current, heed: () => undefined };
}
