import type { AnyLoader } from '../loaders/define-loader.ts';
import { firstLookMs, leadMs } from '../policy/lead-time.ts';
import type { Smoothed } from '../policy/load-time.ts';
import { livesVary } from '../policy/varying-life.ts';

/** When to look at a key whose entry has just landed, epoch ms. */
export function lookAfterLandingMs(
  loader: AnyLoader,
  landed: {
    readonly expiresAtMs: number;
    readonly nowMs: number;
    /** The loader's load time. */
    readonly load: Smoothed | null;
  },
): number {
  const { expiresAtMs, nowMs, load } = landed;
  const { minLeadMs } = loader.refresh;
  // It has just landed: what is left of its life is all of it, longer than the ttl if it was warmed.
  const leftMs = expiresAtMs - nowMs;
  const ttlMs = Math.max(livesVary(loader) ? 0 : loader.ttlMs, leftMs);
  const lead = leadMs({ load, wait: null, tickMs: 0, ttlMs, minLeadMs });
  return firstLookMs({ expiresAtMs, ttlMs, leadMs: lead, nowMs });
}
