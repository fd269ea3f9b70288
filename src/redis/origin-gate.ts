import { CircuitBreaker } from '../core/circuit-breaker.ts';
import { processClock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import { type LoneEnd, LoneOrigin } from '../core/lone-origin.ts';
import {
  type OriginBudget,
  type OriginChange,
  type Refusal,
  type RefusedBy,
  rampMsOf,
  shareOf,
} from '../core/origin.ts';
import type { RateLimit } from '../core/sliding-window.ts';
import { withinTimeout } from './connection.ts';
import type { LimitKeys, OriginKeys } from './keys.ts';
import type { ScriptClient } from './scripts.ts';

export interface GateParts {
  readonly scripts: ScriptClient;
  readonly keys: OriginKeys;
  readonly limitKeys: LimitKeys;
  readonly budget: OriginBudget;
  readonly events: Events;
}

export interface Entrance {
  readonly token: string;
  /** Who goes first: see `rankOf`. */
  readonly rank: number;
  readonly maxWaitMs: number;
}

/** A process that is killed keeps its places for so long; one that lives prolongs them. */
export const LEASE_MS = 3_000;
/** A permit must not take longer than a read does. */
const TIMEOUT_MS = 250;
/** Calls begin some time after their permits' instants, one later than another: room for that. */
const MOST_SLACK_MS = 20;
const SLACK_SHARE = 1 / 20;

/** The way to one origin, watched by the fleet's scripts; without Redis by this process alone. Never rejects. */
export class OriginGate {
  readonly #parts: GateParts;
  readonly #rate: RateLimit | null;
  readonly #breaker = new CircuitBreaker();
  readonly #underWay = new Set<string>();
  #alone: LoneOrigin | null = null;

  constructor(parts: GateParts) {
    this.#parts = parts;
    const { rate } = parts.budget;
    this.#rate = rate && withSlack(rate);
  }

  get underWay(): ReadonlySet<string> {
    return this.#underWay;
  }

  /** A permit can be reserved for later: nothing else may stand in the way by then. */
  reserves(rank: number): boolean {
    const { concurrency, breaker } = this.#parts.budget;
    return rank === 0 && concurrency === null && breaker === null;
  }

  /** Ms until the call may begin, or why it may not. */
  async enter(entrance: Entrance): Promise<number | Refusal> {
    const maxWaitMs = this.reserves(entrance.rank) ? entrance.maxWaitMs : 0;
    const args = this.#enterArgs({ ...entrance, maxWaitMs });
    const reply = await this.#ask('enterOrigin', args);
    const nowMs = processClock.now();
    if (reply !== null) this.#alone = null;
    const answer =
      reply === null
        ? this.#lone().enter({ token: entrance.token, maxWaitMs }, nowMs)
        : toAnswer(reply as Reply);
    if (typeof answer === 'number') this.#underWay.add(entrance.token);
    return answer;
  }

  /** Prolongs the call's lease; ms for which the origin wants no call. */
  async hold(token: string): Promise<number> {
    const { origin, leases } = this.#parts.keys;
    const pausedUs = await this.#ask('holdLease', [origin, leases, token, LEASE_MS]);
    return Number(pausedUs ?? 0) / 1_000;
  }

  /** Frees the call's place; what its end changed for the fleet. */
  async leave(call: LoneEnd): Promise<OriginChange | null> {
    this.#underWay.delete(call.token);
    const { keys, budget } = this.#parts;
    const { failures = 0, of = 0, openForMs = 0 } = budget.breaker ?? {};
    const args = [keys.origin, keys.leases, call.token, call.end, call.ageMs, call.pauseMs];
    const alone = this.#alone?.leave(call, processClock.now());
    const change = await this.#ask('leaveOrigin', [...args, failures, of, openForMs]);
    return alone ?? ((change as OriginChange | '') || null);
  }

  #enterArgs({ token, rank, maxWaitMs }: Entrance): (string | number)[] {
    const { keys, limitKeys, budget } = this.#parts;
    const { concurrency, breaker } = budget;
    const rate = this.#rate;
    return [
      keys.origin,
      keys.leases,
      limitKeys.grants,
      limitKeys.clock,
      token,
      LEASE_MS,
      rank,
      concurrency === null ? 0 : shareOf(concurrency, rank),
      rate === null ? 0 : shareOf(rate.max, rank),
      rate?.max ?? 0,
      toMicros(rate?.perMs ?? 0),
      toMicros(maxWaitMs),
      breaker?.openForMs ?? 0,
      breaker ? rampMsOf(breaker) : 0,
    ];
  }

  /** Null: Redis has not answered. */
  async #ask(
    name: 'enterOrigin' | 'holdLease' | 'leaveOrigin',
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const sentAtMs = processClock.now();
    if (!this.#breaker.mayCall(sentAtMs)) return null;
    try {
      const what = `asking for ${this.#parts.keys.origin}`;
      const reply = await withinTimeout(this.#parts.scripts.run(name, args), what, TIMEOUT_MS);
      this.#breaker.succeeded();
      return reply;
    } catch (error) {
      if (this.#breaker.failed(sentAtMs, processClock.now())) {
        this.#parts.events.emit('redis:failed', { role: 'queue', error });
      }
      return null;
    }
  }

  #lone(): LoneOrigin {
    // Its calls from before count too.
    this.#alone ??= new LoneOrigin({ ...this.#parts.budget, rate: this.#rate }, this.#underWay);
    return this.#alone;
  }
}

type Reply = readonly [granted: number, us: number, why?: RefusedBy, openUs?: number];

function toAnswer([granted, us, why = 'rate', openUs = 0]: Reply): number | Refusal {
  if (granted === 1) return us / 1_000;
  return { why, retryAfterMs: us / 1_000, openMs: openUs / 1_000 };
}

function withSlack({ max, perMs }: RateLimit): RateLimit {
  return { max, perMs: perMs + Math.min(MOST_SLACK_MS, perMs * SLACK_SHARE) };
}

function toMicros(ms: number): number {
  return Math.round(ms * 1_000);
}
