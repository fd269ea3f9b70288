import type { LoadReason } from '../core/events.ts';

/** How keys whose locks are held are loaded. */
export interface LoadRun {
  readonly reason: LoadReason;
  readonly attempt: number;
  /** How its permit is asked for. Absent: for its reason, without a wait. */
  readonly permit?: PermitAsked;
  /** Runs the loader call when there is a free slot for it; locking and committing need none. */
  readonly inSlot?: <T>(load: () => Promise<T>) => Promise<T>;
}

/** How a load asks for the permit of its origin. */
export interface PermitAsked {
  /** Longest wait for it; no part of the load's time. */
  readonly maxWaitMs: number;
  /** Whose turn it takes: that of a refresh where a reader has a stale value to answer with. */
  readonly as: LoadReason;
}

/** Who asks for a lock, and what it knows. */
export interface Asking {
  readonly token: string;
  /** createdAt of the entry the caller has seen and won't take, or 0. */
  readonly seenCreatedAtMs: number;
  /** Since when the caller waits: it takes the outcome of a load that ended after that. */
  readonly waitingSinceMs: number;
  /** It goes on waiting if the lock is held, and wants to be woken. */
  readonly waits?: boolean;
  /** Longest wait for the answer, if shorter than usual. */
  readonly withinMs?: number;
}
