import { Cancellation } from '../core/cancellation.ts';
import { processClock } from '../core/clock.ts';
import { EverwarmError } from '../core/errors.ts';
import type { EntryStore } from '../redis/entry-store.ts';

/*
 * Life of a held lock: hold → renewed every third of lockTtl → drop (the load ended)
 *                                                          → lost (taken away, or not renewed in time)
 * Locks of one batch are held together: its signal aborts once none of them is left.
 */

export interface Hold {
  /** Aborts when no lock of the hold is left, or at shutdown. */
  readonly cancellation: Cancellation;
  /** The load has ended: stops renewing. */
  drop(): void;
}

export interface HoldRequest {
  readonly token: string;
  readonly lockKeys: readonly string[];
  readonly onLost: (lockKey: string) => void;
}

interface Held {
  readonly request: HoldRequest;
  readonly cancellation: Cancellation;
  /** Lock key → instant by which its last confirmed life ends, on this process's clock. */
  readonly liveUntilMs: Map<string, number>;
}

/** Renews the locks of every load under way in this process, with one timer. */
export class LockKeeper {
  readonly #store: EntryStore;
  readonly #lockTtlMs: number;
  readonly #held = new Set<Held>();
  #timer: NodeJS.Timeout | null = null;
  #abortedBy: EverwarmError | null = null;

  constructor(store: EntryStore, lockTtlMs: number) {
    this.#store = store;
    this.#lockTtlMs = lockTtlMs;
  }

  hold(request: HoldRequest): Hold {
    const liveUntilMs = processClock.now() + this.#lockTtlMs;
    const held: Held = {
      request,
      cancellation: new Cancellation(),
      liveUntilMs: new Map(request.lockKeys.map((lockKey) => [lockKey, liveUntilMs])),
    };
    this.#held.add(held);
    if (this.#abortedBy) held.cancellation.abort(this.#abortedBy);
    this.#timer ??= setInterval(() => this.#renewAll(), this.#lockTtlMs / 3);
    return { cancellation: held.cancellation, drop: () => this.#drop(held) };
  }

  /** Aborts every load under way and to come: their results are thrown away. */
  abortAll(reason: EverwarmError): void {
    this.#abortedBy = reason;
    for (const held of this.#held) held.cancellation.abort(reason);
  }

  #drop(held: Held): void {
    this.#held.delete(held);
    if (this.#held.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #renewAll(): void {
    for (const held of this.#held) {
      for (const lockKey of held.liveUntilMs.keys()) {
        this.#renew(held, lockKey).catch(() => undefined); // Errors were judged by the deadline.
      }
    }
    // Only after the replies that a busy process has not read yet.
    setImmediate(() => this.#loseOverdue());
  }

  // A renewal that Redis does not answer takes longer to fail than a short lock lives.
  #loseOverdue(): void {
    const nowMs = processClock.now();
    for (const held of this.#held) {
      for (const [lockKey, liveUntilMs] of held.liveUntilMs) {
        if (nowMs >= liveUntilMs) this.#lose(held, lockKey);
      }
    }
  }

  async #renew(held: Held, lockKey: string): Promise<void> {
    const sentAtMs = processClock.now();
    let isOurs: boolean;
    try {
      isOurs = await this.#store.renew(lockKey, held.request.token, this.#lockTtlMs);
    } catch {
      // Not confirmed: still ours until the last confirmed life ends.
      isOurs = processClock.now() < (held.liveUntilMs.get(lockKey) ?? 0);
      if (isOurs) return;
    }
    if (!this.#held.has(held) || !held.liveUntilMs.has(lockKey)) return;
    if (isOurs) held.liveUntilMs.set(lockKey, sentAtMs + this.#lockTtlMs);
    else this.#lose(held, lockKey);
  }

  #lose(held: Held, lockKey: string): void {
    if (!held.liveUntilMs.delete(lockKey)) return;
    held.request.onLost(lockKey);
    if (held.liveUntilMs.size > 0) return;
    const message = `the lock ${lockKey} was lost: the result can no longer be stored`;
    held.cancellation.abort(new EverwarmError('LOAD_ABORTED', message));
  }
}
