import type { AnyLoader } from '../loaders/define-loader.ts';
import { BEAT_MS, type Seen } from '../redis/presence.ts';
import type { Explanation } from './explanation.ts';

/** A role that was not heard of for so long is not there. */
const GONE_AFTER_MS = 3 * BEAT_MS;

export function isThere(seenAtMs: number | null, nowMs: number): boolean {
  return seenAtMs !== null && nowMs - seenAtMs < GONE_AFTER_MS;
}

/** When a scheduler was last there, one that only reports included. */
export function anySchedulerAtMs({ schedulerAtMs, shadowAtMs }: Seen): number | null {
  if (schedulerAtMs === null) return shadowAtMs;
  return Math.max(schedulerAtMs, shadowAtMs ?? schedulerAtMs);
}

/** How the loader's keys are refreshed; `shadow` also where only shadow schedulers are there. */
export function modeOf(
  loader: Pick<AnyLoader, 'refresh'>,
  seen: Seen,
  nowMs: number,
): Explanation['mode'] {
  if (loader.refresh.isOff) return 'off';
  if (loader.refresh.mode === 'shadow') return 'shadow';
  const isShadowed = isThere(seen.shadowAtMs, nowMs) && !isThere(seen.schedulerAtMs, nowMs);
  return isShadowed ? 'shadow' : 'active';
}
