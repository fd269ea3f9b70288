import type { AnyLoader } from '../loaders/define-loader.ts';
import { halfLifeMs } from '../policy/heat.ts';
import type { PlanSettings } from '../policy/plan.ts';
import { livesVary, shortestLifeMs } from '../policy/varying-life.ts';

const MIN_TICK_MS = 50;
const TICKS_PER_TTL = 20;

/** By what a loader's keys are planned: the same for the scheduler, and for who explains what it does. */
export function planSettingsOf(loader: AnyLoader, tickMs: number): PlanSettings {
  const { ttlMs, refresh } = loader;
  const { minLeadMs, beta, spread, threshold } = refresh;
  return {
    ttlMs,
    livesVary: livesVary(loader),
    halfLifeMs: halfLifeMs(ttlMs),
    tickMs,
    minLeadMs,
    beta,
    spread,
    threshold,
  };
}

/** Shortest time between two ticks that find work, in ms. */
export function tickMsOf(loader: AnyLoader, tickIntervalMs: number): number {
  return Math.max(MIN_TICK_MS, Math.min(tickIntervalMs, shareOfTtlMs(loader)));
}

/** A twentieth of the shortest life, in ms. */
export function shareOfTtlMs(loader: AnyLoader): number {
  return shortestLifeMs(loader) / TICKS_PER_TTL;
}
