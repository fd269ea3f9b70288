import type { Redis } from 'ioredis';
import { printSpan } from '../core/print-span.ts';
import { type Check, fine, warning } from './check.ts';

/** A clock that was measured against this process's. */
export interface ClockOffset {
  readonly where: string;
  readonly offsetMs: number;
}

const SAMPLES = 3;
/** More than a measurement can be wrong by, even under load. */
const MOST_OFF_MS = 1_000;

/** How far a server's clock is ahead of this machine's, by the round trip that took least. */
export async function measureOffset(redis: Redis): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  let offsetMs = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const sentAtMs = Date.now();
    const startedAtMs = performance.now();
    const [seconds, micros] = await redis.time();
    const tookMs = performance.now() - startedAtMs;
    if (tookMs >= bestMs) continue;
    bestMs = tookMs;
    offsetMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (sentAtMs + tookMs / 2);
  }
  return offsetMs;
}

/** Whether this machine and the servers agree on what time it is. */
export function clockCheck(offsets: readonly ClockOffset[]): Check {
  const name = 'clocks';
  const worst = offsets.reduce<ClockOffset | null>(
    (one, other) => (one && Math.abs(one.offsetMs) >= Math.abs(other.offsetMs) ? one : other),
    null,
  );
  if (worst === null) return fine(name, 'nothing to compare');
  const { where, offsetMs } = worst;
  const size = printSpan(Math.abs(offsetMs));
  if (Math.abs(offsetMs) <= MOST_OFF_MS) return fine(name, `at most ${size} apart`);
  const message = `the clock of ${where} is ${size} ${offsetMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  const fix =
    'synchronise the clocks of all machines (chrony, ntpd): logs and warm-ups would disagree';
  return warning(name, message, fix);
}
