/*
 * closed    → open       after 5 failures in a row
 * open      → half-open  once its pause is over: the call that asks then is the probe, all others are refused
 * half-open → closed     when a call succeeds
 * half-open → open       when the probe fails: the pause doubles, up to 2 s
 * Whoever may call reports how the call ended, once.
 */
const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 200;
const PAUSE_GROWTH = 2;
const MAX_PAUSE_MS = 2_000;

/** Whether a server that may be away is worth a call. It holds no clock: instants come in, of any one clock. */
export class CircuitBreaker {
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #retryAtMs = 0;

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** While it is not closed a true answer is for one call: the probe. */
  mayCall(nowMs: number): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'half-open' || nowMs < this.#retryAtMs) return false;
    this.#state = 'half-open';
    this.#changedAtMs = nowMs;
    return true;
  }

  /** Any call's success closes it, also one that was sent before it opened. */
  succeeded(): void {
    this.#failures = 0;
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#changedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the failure says anything new: that of a call from before the last change does not. */
  failed(sentAtMs: number, nowMs: number): boolean {
    if (this.#state === 'open' || sentAtMs < this.#changedAtMs) return false;
    if (this.#state === 'half-open') {
      this.#open(nowMs, Math.min(this.#pauseMs * PAUSE_GROWTH, MAX_PAUSE_MS));
    } else if (++this.#failures >= FAILURES_TO_OPEN) {
      this.#open(nowMs, FIRST_PAUSE_MS);
    }
    return true;
  }

  /** Ends the pause: there is a reason to hope. */
  probeSoon(): void {
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  #open(nowMs: number, pauseMs: number): void {
    this.#state = 'open';
    this.#failures = 0;
    this.#pauseMs = pauseMs;
    this.#changedAtMs = nowMs;
    this.#retryAtMs = nowMs + pauseMs;
  }
}
