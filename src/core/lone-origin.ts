import {
  type BreakerSettings,
  type CallEnd,
  LONGEST_PAUSE_MS,
  type OriginBudget,
  type OriginChange,
  type Refusal,
  type RefusedBy,
  rampMsOf,
} from './origin.ts';
import { SlidingWindow } from './sliding-window.ts';

/*
 * The breaker:  closed → open       after so many failures of the last calls
 *               open   → half-open  once its time is over: one call tries
 *               half-open → ramping when that call succeeds; → open when it fails
 *               ramping → closed    by time
 */

const POLL_MS = 50;
const RAMP = [0.1, 0.25, 0.5];
const RAMP_OF = 20;

export interface LoneRequest {
  readonly token: string;
  readonly maxWaitMs: number;
}

export interface LoneEnd {
  readonly token: string;
  readonly end: CallEnd;
  readonly ageMs: number;
  readonly pauseMs: number;
}

/** An origin's budget as one process keeps to it alone, by the rules of enter-origin.lua and leave-origin.lua. */
export class LoneOrigin {
  readonly #budget: OriginBudget;
  readonly #window: SlidingWindow | null;
  readonly #underWay: Set<string>;
  /** Of the last calls, while one of them failed. */
  #ends: CallEnd[] = [];
  #openedAtMs = 0;
  /** 0: not open since it last closed for good. */
  #openUntilMs = 0;
  #rampFromMs: number | null = null;
  #probe: string | null = null;
  #pausedUntilMs = 0;

  constructor(budget: OriginBudget, underWay: ReadonlySet<string>) {
    this.#budget = budget;
    this.#underWay = new Set(underWay);
    this.#window = budget.rate && new SlidingWindow(budget.rate);
  }

  /** Ms to wait for the permit, or why there is none. */
  enter({ token, maxWaitMs }: LoneRequest, nowMs: number): number | Refusal {
    const refuse = (why: RefusedBy, retryAfterMs: number): Refusal => ({
      why,
      retryAfterMs,
      openMs: why === 'breaker' ? nowMs - this.#openedAtMs : 0,
    });
    if (nowMs < this.#pausedUntilMs) return refuse('retry-after', this.#pausedUntilMs - nowMs);
    const isHalfOpen = this.#isOpen;
    if (isHalfOpen && nowMs < this.#openUntilMs) {
      return refuse('breaker', this.#openUntilMs - nowMs);
    }
    if (isHalfOpen && this.#probe !== null) return refuse('breaker', POLL_MS);
    if (this.#underWay.size >= this.#cap(nowMs)) return refuse('concurrency', POLL_MS);
    const permit = this.#window?.take({ permits: 1, maxWaitMs }, nowMs);
    if (permit && !permit.isGranted) return refuse('rate', permit.waitMs);
    this.#underWay.add(token);
    if (isHalfOpen) this.#probe = token;
    return permit?.waitMs ?? 0;
  }

  /** What the call's end changed. */
  leave({ token, end, ageMs, pauseMs }: LoneEnd, nowMs: number): OriginChange | null {
    this.#underWay.delete(token);
    const change = this.#judge(end, { isProbe: this.#probe === token, ageMs, nowMs });
    if (this.#probe === token) this.#probe = null;
    const pausedUntilMs = nowMs + Math.min(pauseMs, LONGEST_PAUSE_MS);
    if (pauseMs <= 0 || pausedUntilMs <= this.#pausedUntilMs) return change;
    this.#pausedUntilMs = pausedUntilMs;
    return change ?? 'paused';
  }

  #judge(
    end: CallEnd,
    { isProbe, ageMs, nowMs }: { isProbe: boolean; ageMs: number; nowMs: number },
  ): OriginChange | null {
    const { breaker } = this.#budget;
    if (breaker === null || end === 'none') return null;
    const isOpen = this.#isOpen;
    if (isOpen) return isProbe ? this.#endProbe(breaker, end, nowMs) : null;
    // Of a call from before the ramp it says nothing new.
    if (end === 'failed' && nowMs - ageMs < (this.#rampFromMs ?? 0)) return null;
    this.#ends = [...this.#ends, end].slice(-breaker.of);
    const failures = this.#ends.filter((one) => one === 'failed').length;
    if (failures === 0) this.#ends = [];
    if (failures < breaker.failures) return null;
    this.#openedAtMs = nowMs;
    return this.#open(breaker, nowMs);
  }

  #endProbe(breaker: BreakerSettings, end: CallEnd, nowMs: number): OriginChange {
    if (end === 'failed') return this.#open(breaker, nowMs);
    this.#rampFromMs = nowMs;
    return 'closed';
  }

  #open({ openForMs }: BreakerSettings, nowMs: number): OriginChange {
    this.#openUntilMs = nowMs + openForMs;
    this.#rampFromMs = null;
    this.#ends = [];
    return 'opened';
  }

  /** Open or half-open. */
  get #isOpen(): boolean {
    return this.#openUntilMs > 0 && this.#rampFromMs === null;
  }

  #cap(nowMs: number): number {
    const { concurrency, breaker } = this.#budget;
    const whole = concurrency ?? Number.POSITIVE_INFINITY;
    if (breaker === null || this.#rampFromMs === null) return whole;
    const step = Math.floor((RAMP.length * (nowMs - this.#rampFromMs)) / rampMsOf(breaker));
    const share = RAMP[step];
    return share === undefined ? whole : Math.max(1, Math.floor((concurrency ?? RAMP_OF) * share));
  }
}
