import { Cancellation } from '../core/cancellation.ts';
import { processClock } from '../core/clock.ts';
import { EverwarmError } from '../core/errors.ts';
import type { EntryStore } from '../redis/entry-store.ts';

/*
 * Life of a held lock: hold → renewed every third of lockTtl → drop (the load ended)
 *                                                          → lost (taken away, or not renewed in time)
 *                                                          → unconfirmed (not renewed in time, but waited for)
 * Locks of one batch are held together: its signal aborts once none of them is left.
 */

export interface Hold {
  /** Aborts when no lock of the hold is left, or at shutdown. */
  readonly cancellation: Cancellation;
  /** Whether nobody knows any more if this lock is ours: Redis has not confirmed it for its whole life. */
  isUnconfirmed(lockKey: string): boolean;
  /** The load has ended: stops renewing. */
  drop(): void;
}

export interface HoldRequest {
  readonly token: string;
  readonly lockKeys: readonly string[];
  readonly onLost: (lockKey: string) => void;
  /**
   * Of a lock that Redis does not confirm in time: `lose` takes it for lost, since another may be on it;
   * `keep` lets the load go on for those who wait for it. @defaultValue 'lose'
   */
  readonly whenUnconfirmed?: 'lose' | 'keep';
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
    return {
      cancellation: held.cancellation,
      isUnconfirmed: (lockKey) => isOverdue(held, lockKey),
      drop: () => this.#drop(held),
    };
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
    for (const held of this.#held) {
      if (held.request.whenUnconfirmed === 'keep') continue;
      for (const lockKey of held.liveUntilMs.keys()) {
        if (isOverdue(held, lockKey)) this.#lose(held, lockKey);
      }
    }
  }

  async #renew(held: Held, lockKey: string): Promise<void> {
    const sentAtMs = processClock.now();
    const isOurs = await this.#store.renew(lockKey, held.request.token, this.#lockTtlMs);
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

/** Not renewed within its last confirmed life; a lock that is known to be lost is not. */
function isOverdue({ liveUntilMs }: Held, lockKey: string): boolean {
  return processClock.now() >= (liveUntilMs.get(lockKey) ?? Number.POSITIVE_INFINITY);
}
