import { randomBytes } from 'node:crypto';
import type { Cancellation } from '../core/cancellation.ts';
import { type Clock, processClock } from '../core/clock.ts';
import type { EverwarmError } from '../core/errors.ts';
import type { Events, LoadReason } from '../core/events.ts';
import { isRefusal, type OriginChange, type Refusal, rankOf } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Loaded } from '../loaders/run-loader.ts';
import type { Keys } from '../redis/keys.ts';
import { LEASE_MS, OriginGate } from '../redis/origin-gate.ts';
import type { ScriptClient } from '../redis/scripts.ts';
import { endOf, pauseMsOf } from './call-end.ts';
import { OriginLine } from './origin-line.ts';

/** Longest wait for a permit where there is something else to do: serve a stale value, or come back. */
export const SHORT_PERMIT_WAIT_MS = 250;

export interface PermitsParts {
  /** On the queue server, which all of the fleet's processes ask. */
  readonly scripts: ScriptClient;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly events: Events;
}

/** How long a loader call may wait for its permit, who it is for, and what ends the wait. */
export interface PermitWait {
  readonly reason: LoadReason;
  readonly maxWaitMs: number;
  readonly cancellation: Cancellation;
}

/** A call that may begin. It ends once, whatever comes of it. */
export interface Permit {
  end(answers: readonly Loaded[]): void;
}

/** One origin as this process sees it. */
interface Origin {
  readonly loader: AnyLoader;
  readonly gate: OriginGate;
  readonly line: OriginLine;
  renewal: NodeJS.Timeout | null;
}

/** The permits of loader calls, of loaders that say what their origin bears: one a call of `load` or `loadMany`. */
export class Permits {
  readonly #parts: PermitsParts;
  readonly #origins = new Map<string, Origin>();
  readonly #waiting = new Set<Cancellation>();
  readonly #prefix = randomBytes(12).toString('base64url');
  #tokens = 0;
  #abortedBy: EverwarmError | null = null;

  constructor(parts: PermitsParts) {
    this.#parts = parts;
  }

  /** Waits for a permit of this loader as long as it may; an aborted wait ends like a granted one: the aborted call runs no loader. */
  async take(loader: AnyLoader, wait: PermitWait): Promise<Permit | Refusal> {
    const { reason, maxWaitMs, cancellation } = wait;
    const origin = this.#originOf(loader);
    if (origin === null) return FREE;
    this.#waiting.add(cancellation);
    if (this.#abortedBy) cancellation.abort(this.#abortedBy);
    const rank = rankOf(reason);
    const token = await origin.line.enter({ rank, maxWaitMs, cancellation });
    this.#waiting.delete(cancellation);
    if (isRefusal(token)) return token;
    return token === null ? FREE : this.#permit(origin, token);
  }

  /** Ends every wait under way and to come. */
  abortAll(reason: EverwarmError): void {
    this.#abortedBy = reason;
    for (const cancellation of this.#waiting) cancellation.abort(reason);
  }

  #originOf(loader: AnyLoader): Origin | null {
    const { name, origin: budget } = loader;
    if (budget === null) return null;
    const known = this.#origins.get(name);
    if (known) return known;
    const { keys, scripts, events } = this.#parts;
    // A loader without a rate takes no permits of a window: the names stand for nothing.
    const limitKeys = keys.limit(loader, budget.rate ?? { max: 0, perMs: 0 });
    const gate = new OriginGate({ scripts, keys: keys.origin(loader), limitKeys, budget, events });
    const line = new OriginLine(gate, () => `${this.#prefix}.${(this.#tokens++).toString(36)}`);
    const origin = { loader, gate, line, renewal: null };
    this.#origins.set(name, origin);
    return origin;
  }

  #permit(origin: Origin, token: string): Permit {
    const startedAtMs = processClock.now();
    origin.renewal ??= renewing(origin);
    let isOver = false;
    return {
      end: (answers) => {
        if (isOver) return;
        isOver = true;
        const call = {
          token,
          end: endOf(answers),
          ageMs: processClock.now() - startedAtMs,
          pauseMs: pauseMsOf(origin.loader, answers),
        };
        void origin.gate.leave(call).then((change) => this.#tell(origin, change, call.pauseMs));
        // Sent before it, on the same connection: whoever waits here finds the place free.
        origin.line.passOn();
        if (origin.gate.underWay.size > 0 || origin.renewal === null) return;
        clearInterval(origin.renewal);
        origin.renewal = null;
      },
    };
  }

  #tell({ loader, line }: Origin, change: OriginChange | null, pauseMs: number): void {
    const { events, clock } = this.#parts;
    const about = { loader: loader.name };
    const nowMs = clock.now();
    if (change === 'opened') {
      const openForMs = loader.origin?.breaker?.openForMs ?? 0;
      events.emit('origin:opened', { retryAtMs: Math.floor(nowMs + openForMs), ...about });
    } else if (change === 'paused') {
      events.emit('origin:paused', { retryAtMs: Math.floor(nowMs + pauseMs), ...about });
    } else if (change === 'closed') {
      line.reopen();
      events.emit('origin:closed', about);
    }
  }
}

const FREE: Permit = { end: () => undefined };

/** While a call is under way its lease is prolonged every third of it. */
function renewing({ gate }: Origin): NodeJS.Timeout {
  const renew = (): void => {
    for (const token of gate.underWay) void gate.hold(token);
  };
  return setInterval(renew, LEASE_MS / 3).unref();
}
