import { processClock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import {
  type Permit,
  type PermitRequest,
  type RateLimit,
  SlidingWindow,
} from '../core/sliding-window.ts';
import { withinTimeout } from './connection.ts';
import type { LimitKeys } from './keys.ts';
import type { ScriptClient } from './scripts.ts';

export interface LimiterParts {
  readonly scripts: ScriptClient;
  readonly keys: LimitKeys;
  readonly limit: RateLimit;
  readonly events: Events;
}

/** A permit must not take longer than a read does. */
const TIMEOUT_MS = 250;

/**
 * One sliding window shared by the fleet. Refused once, it does not ask again before asking can succeed:
 * permits are granted in order and never given back. Without Redis each process keeps to the same limit
 * by itself.
 */
export class SlidingWindowLimiter {
  readonly limit: RateLimit;
  readonly #parts: LimiterParts;
  #alone: SlidingWindow | null = null;
  /** So many permits, or more, are not to be had before then, on this process's clock. */
  #full: { permits: number; untilMs: number; remaining: number } | null = null;

  constructor(parts: LimiterParts) {
    this.limit = parts.limit;
    this.#parts = parts;
  }

  /** Never rejects. The wait is the caller's: the permit is to be used when it is over. */
  async take(request: PermitRequest): Promise<Permit> {
    const known = this.#refusal(request);
    if (known) return known;
    try {
      const permit = await this.#ask(request);
      this.#alone = null;
      this.#learn(request, permit);
      return permit;
    } catch (error) {
      this.#parts.events.emit('redis:failed', { role: 'queue', error });
      this.#alone ??= new SlidingWindow(this.limit);
      return this.#alone.take(request, processClock.now());
    }
  }

  async #ask({ permits, maxWaitMs }: PermitRequest): Promise<Permit> {
    const { scripts, keys, limit } = this.#parts;
    const { max, perMs } = limit;
    const args = [keys.grants, keys.clock, permits, max, toMicros(perMs), toMicros(maxWaitMs)];
    const reply = scripts.run('takePermit', args);
    const answer = await withinTimeout(reply, `taking a permit of ${keys.grants}`, TIMEOUT_MS);
    const [granted, waitUs, remaining] = answer as number[];
    return { isGranted: granted === 1, waitMs: (waitUs ?? 0) / 1_000, remaining: remaining ?? 0 };
  }

  #refusal({ permits, maxWaitMs }: PermitRequest): Permit | null {
    if (this.#full === null || permits < this.#full.permits) return null;
    const waitMs = this.#full.untilMs - processClock.now();
    return waitMs > maxWaitMs
      ? { isGranted: false, waitMs, remaining: this.#full.remaining }
      : null;
  }

  // A grant may have taken the place that was promised: then the next one has to be asked for.
  #learn({ permits }: PermitRequest, { isGranted, waitMs, remaining }: Permit): void {
    const untilMs = processClock.now() + waitMs;
    this.#full = isGranted ? null : { permits, untilMs, remaining };
  }
}

function toMicros(ms: number): number {
  return Math.round(ms * 1_000);
}
