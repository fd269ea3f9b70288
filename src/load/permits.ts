import type { Cancellation } from '../core/cancellation.ts';
import { processClock } from '../core/clock.ts';
import type { EverwarmError } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import type { RateLimit } from '../core/sliding-window.ts';
import { waitUnlessAborted } from '../core/wait.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Keys } from '../redis/keys.ts';
import type { ScriptClient } from '../redis/scripts.ts';
import { SlidingWindowLimiter } from '../redis/sliding-window-limiter.ts';

/** Longest wait for a permit where there is something else to do: serve a stale value, or come back. */
export const SHORT_PERMIT_WAIT_MS = 250;

/** Calls begin some time after their permits' instants, one later than another: room for that. */
const MOST_SLACK_MS = 20;
const SLACK_SHARE = 1 / 20;

export interface PermitsParts {
  /** On the queue server, which all of the fleet's processes ask. */
  readonly scripts: ScriptClient;
  readonly keys: Keys;
  readonly events: Events;
}

/** How long a loader call may wait for its permit, and what ends the wait. */
export interface PermitWait {
  readonly maxWaitMs: number;
  readonly cancellation: Cancellation;
}

/** The permits of loader calls, of loaders that have a limit: one a call of `load` or `loadMany`. */
export class Permits {
  readonly #parts: PermitsParts;
  readonly #limiters = new Map<string, SlidingWindowLimiter>();
  /** Loader → when, on this process's clock, those who can do without a permit ask for one again. */
  readonly #askAgainAtMs = new Map<string, number>();
  readonly #waiting = new Set<Cancellation>();
  #abortedBy: EverwarmError | null = null;

  constructor(parts: PermitsParts) {
    this.#parts = parts;
  }

  /**
   * Waits for a permit of this loader, and answers null; or at once how long until there is one, if that
   * is longer. An aborted wait ends like a granted one: the aborted call runs no loader.
   */
  async take(loader: AnyLoader, wait: PermitWait): Promise<number | null> {
    const limiter = this.#limiterOf(loader);
    if (!limiter) return null;
    const { maxWaitMs, cancellation } = wait;
    if (this.#abortedBy) cancellation.abort(this.#abortedBy);
    // Where many processes ask, most ask in vain: each does so once a refusal's time, not once a read.
    const heldOffMs = (this.#askAgainAtMs.get(loader.name) ?? 0) - processClock.now();
    if (heldOffMs > 0 && maxWaitMs <= SHORT_PERMIT_WAIT_MS) return heldOffMs;
    const permit = await limiter.take({ permits: 1, maxWaitMs });
    if (!permit.isGranted) {
      this.#askAgainAtMs.set(loader.name, processClock.now() + permit.waitMs);
      return permit.waitMs;
    }
    if (permit.waitMs > 0) await this.#wait(permit.waitMs, cancellation);
    return null;
  }

  #limiterOf(loader: AnyLoader): SlidingWindowLimiter | null {
    const { name, limit } = loader;
    if (limit === null) return null;
    const known = this.#limiters.get(name);
    if (known) return known;
    const { keys, ...rest } = this.#parts;
    const place = { keys: keys.limit(loader, limit), limit: withSlack(limit) };
    const limiter = new SlidingWindowLimiter({ ...rest, ...place });
    this.#limiters.set(name, limiter);
    return limiter;
  }

  /** Ends every wait under way and to come. */
  abortAll(reason: EverwarmError): void {
    this.#abortedBy = reason;
    for (const cancellation of this.#waiting) cancellation.abort(reason);
  }

  async #wait(waitMs: number, cancellation: Cancellation): Promise<void> {
    this.#waiting.add(cancellation);
    if (this.#abortedBy) cancellation.abort(this.#abortedBy);
    await waitUnlessAborted(waitMs, cancellation);
    this.#waiting.delete(cancellation);
  }
}

function withSlack({ max, perMs }: RateLimit): RateLimit {
  return { max, perMs: perMs + Math.min(MOST_SLACK_MS, perMs * SLACK_SHARE) };
}
