import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { Tracing } from '../core/tracing.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import type { WarmProgress } from './warm-progress.ts';

/** Which keys to warm, and how. Instants are epoch ms of the queue server. */
export interface WarmRequest {
  /** `[A-Za-z0-9_.-]{1,128}`: the same for each attempt of a run. */
  readonly runId: string;
  readonly loader: AnyLoader;
  /** Canonical key texts. */
  readonly keys: AsyncIterable<string> | Iterable<string>;
  /** Keys at the start that an earlier attempt of this run has finished. */
  readonly skip: number;
  /** An entry that stays fresh at least until then is skipped; null: any fresh one. */
  readonly freshUntilMs: number | null;
  /** What is warmed lives at least until then; null: for its ttl. */
  readonly untilMs: number | null;
  /** Enqueues evenly over so long, if `total` is known; 0: as fast as allowed. */
  readonly spreadOverMs: number;
  /** Of BullMQ, 1 to 2,097,151; null: behind all refreshes. */
  readonly priority: number | null;
  /** How many keys there are, if known. */
  readonly total: number | null;
}

export interface WarmRunOptions {
  /** Ends the run: its waiting jobs are removed, and it resolves to what was done until then. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: WarmProgress) => void;
}

export interface WarmRunParts {
  readonly keys: Keys;
  /** On the cache server. */
  readonly store: EntryStore;
  /** A connection for data to the queue server. */
  readonly queue: RedisClient;
  readonly clock: Clock;
  readonly events: Events;
  /** @defaultValue nobody traces */
  readonly tracing?: Tracing | null;
  /** Jobs, of up to 100 keys, that a run has in the queue at most. @defaultValue `25` */
  readonly maxJobs?: number;
  /** After so long without a worker a run says so. @defaultValue 30 s */
  readonly stallMs?: number;
}
