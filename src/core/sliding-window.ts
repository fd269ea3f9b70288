/** At most `max` permits in any window of `perMs`. */
export interface RateLimit {
  readonly max: number;
  readonly perMs: number;
}

export interface PermitRequest {
  /** All granted together; at most the limit's `max`. */
  readonly permits: number;
  /** A permit that takes longer is refused, and then nothing is reserved. */
  readonly maxWaitMs: number;
}

/** What asking for permits comes to. */
export interface Permit {
  readonly isGranted: boolean;
  /** Granted: until it may be used. Refused: until asking again can succeed. */
  readonly waitMs: number;
  /** Permits that are left to be used now. */
  readonly remaining: number;
}

/** Grants that have left the window are cut off in portions: one by one would move all the others. */
const CUT = 1_000;

/** A sliding window of this process alone, by the rule of take-permit.lua. */
export class SlidingWindow {
  readonly #limit: RateLimit;
  /** Instants of the grants, in order; those that are waited for lie ahead. */
  readonly #grantsAtMs: number[] = [];
  /** Where the grants begin that count: at most `max`, all within the window or ahead. */
  #first = 0;

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  take({ permits, maxWaitMs }: PermitRequest, nowMs: number): Permit {
    const { max, perMs } = this.#limit;
    const grantsAtMs = this.#grantsAtMs;
    while ((grantsAtMs[this.#first] ?? nowMs) <= nowMs - perMs) this.#first++;
    const remaining = max - (grantsAtMs.length - this.#first);
    // The last of the grants that have to leave the window first; before #first none counts any more.
    const lastToLeave = permits - remaining - 1;
    const freedBy = lastToLeave < 0 ? undefined : grantsAtMs[this.#first + lastToLeave];
    const waitMs = freedBy === undefined ? 0 : freedBy + perMs - nowMs;
    if (waitMs > maxWaitMs) return { isGranted: false, waitMs, remaining };
    for (let permit = 0; permit < permits; permit++) grantsAtMs.push(nowMs + waitMs);
    this.#first = Math.max(this.#first, grantsAtMs.length - max);
    if (this.#first >= CUT) {
      grantsAtMs.splice(0, this.#first);
      this.#first = 0;
    }
    return { isGranted: true, waitMs, remaining: waitMs > 0 ? 0 : remaining - permits };
  }
}
