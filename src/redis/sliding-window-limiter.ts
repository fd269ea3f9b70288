import { processClock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import {
  type Permit,
  type PermitRequest,
  type RateLimit,
  SlidingWindow,
} from '../core/sliding-window.ts';
import { Slots } from '../core/slots.ts';
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
 * One sliding window shared by the fleet. Each reply tells when the next permit can be had: before that
 * this process does not ask in vain, and beyond the permits it knows to be left it asks for one at a
 * time, so that many who want one learn from one reply. Without Redis each process keeps to the limit
 * by itself.
 */
export class SlidingWindowLimiter {
  readonly limit: RateLimit;
  readonly #parts: LimiterParts;
  readonly #line = new Slots(1);
  #alone: SlidingWindow | null = null;
  /** So many permits, or more, are not to be had before then, on this process's clock. */
  #full = { permits: 0, untilMs: 0, remaining: 0 };
  /** Permits that were left by the last reply, and questions that wait for theirs. */
  #left: number;
  #underWay = 0;
  #failures = 0;

  constructor(parts: LimiterParts) {
    this.limit = parts.limit;
    this.#left = parts.limit.max;
    this.#parts = parts;
  }

  /** Never rejects. The wait is the caller's: the permit is to be used when it is over. */
  async take(request: PermitRequest): Promise<Permit> {
    const failures = this.#failures;
    if (this.#underWay < this.#left) return this.#refusal(request) ?? this.#askOrGoAlone(request);
    return this.#line.run(async () => {
      // Redis has failed who stood before in the line: all of it need not find that out anew.
      if (this.#failures > failures) return this.#takeAlone(request);
      return this.#refusal(request) ?? this.#askOrGoAlone(request);
    });
  }

  async #askOrGoAlone(request: PermitRequest): Promise<Permit> {
    this.#underWay++;
    try {
      const permit = await this.#ask(request);
      this.#alone = null;
      return permit;
    } catch (error) {
      this.#failures++;
      this.#parts.events.emit('redis:failed', { role: 'queue', error });
      return this.#takeAlone(request);
    } finally {
      this.#underWay--;
    }
  }

  #takeAlone(request: PermitRequest): Permit {
    this.#alone ??= new SlidingWindow(this.limit);
    return this.#alone.take(request, processClock.now());
  }

  async #ask({ permits, maxWaitMs }: PermitRequest): Promise<Permit> {
    const { scripts, keys, limit } = this.#parts;
    const { max, perMs } = limit;
    const args = [keys.grants, keys.clock, permits, max, toMicros(perMs), toMicros(maxWaitMs)];
    const reply = scripts.run('takePermit', args);
    const answer = await withinTimeout(reply, `taking a permit of ${keys.grants}`, TIMEOUT_MS);
    const [granted, waitUs = 0, remaining = 0, nextUs = 0] = answer as number[];
    const isGranted = granted === 1;
    const fullMs = (isGranted ? nextUs : waitUs) / 1_000;
    const untilMs = processClock.now() + fullMs;
    this.#full = isGranted
      ? { permits: 1, untilMs, remaining: 0 }
      : { permits, untilMs, remaining };
    this.#left = remaining;
    return { isGranted, waitMs: waitUs / 1_000, remaining };
  }

  #refusal({ permits, maxWaitMs }: PermitRequest): Permit | null {
    const { untilMs, remaining } = this.#full;
    const waitMs = untilMs - processClock.now();
    if (permits < this.#full.permits || waitMs <= maxWaitMs) return null;
    return { isGranted: false, waitMs, remaining };
  }
}

function toMicros(ms: number): number {
  return Math.round(ms * 1_000);
}
