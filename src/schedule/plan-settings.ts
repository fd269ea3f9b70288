import type { AnyLoader } from '../loaders/define-loader.ts';
import { halfLifeMs } from '../policy/heat.ts';
import type { PlanSettings } from '../policy/plan.ts';
import { livesVary } from '../policy/varying-life.ts';

/** By what a loader's keys are planned: the same for the scheduler, and for who explains what it does. */
export function planSettingsOf(loader: AnyLoader, tickMs: number): PlanSettings {
  const { ttlMs, staleWhileRevalidateMs, staleIfErrorMs } = loader;
  const { minLeadMs, beta, spread } = loader.refresh;
  return {
    ttlMs,
    livesVary: livesVary(loader),
    halfLifeMs: halfLifeMs(ttlMs),
    tickMs,
    minLeadMs,
    beta,
    spread,
    keptExpiredMs: Math.max(staleWhileRevalidateMs, staleIfErrorMs),
  };
}
