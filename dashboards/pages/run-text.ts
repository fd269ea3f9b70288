import { printSpan } from '../../src/core/print-span.ts';
import type { WarmUpProgress } from '../../src/queue/warm-up-job.ts';
import type { LastWarmUpRun } from '../../src/redis/warm-up-runs.ts';
import type { Zone } from '../../src/warm/zone.ts';
import { printCount } from './print.ts';

export function endedText(run: LastWarmUpRun, zone: Zone): string {
  const { outcome, startedAtMs, endedAtMs, error, done, skipped, failed } = run;
  const at = zone.text(endedAtMs).replace('T', ' ');
  if (outcome === 'failed') return `failed at ${at}: ${error ?? 'for no reason known'}`;
  const counts = `${printCount(done)} loaded, ${printCount(skipped)} fresh, ${printCount(failed)} failed`;
  return `completed at ${at} after ${printSpan(endedAtMs - startedAtMs)}: ${counts}`;
}

export function progressText(progress: WarmUpProgress, nowMs: number): string {
  const { done, skipped, failed, total, keysPerSecond, expectedEndAtMs } = progress;
  const of = total === null ? '' : ` of ${printCount(total)}`;
  const leftMs = (expectedEndAtMs ?? nowMs) - nowMs;
  // Reckoned from what is done so far: of a run that is spread out it soon is over.
  const left = leftMs > 1_000 ? `, done in about ${printSpan(leftMs)}` : '';
  return `${printCount(done + skipped + failed)}${of} keys, ${keysPerSecond.toFixed(1)} per second${left}`;
}
