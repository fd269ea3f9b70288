import type { LoadReason } from '../core/events.ts';
import type { LockRequest } from '../redis/fence.ts';

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
export type Asking = Omit<LockRequest, 'lockTtlMs'>;
