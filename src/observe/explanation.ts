import type { CompressionAlgorithm } from '../config/value-format.ts';
import type { DueState, Verdict } from '../policy/explain.ts';
import type { Smoothed } from '../policy/load-time.ts';
import type { Failure } from '../redis/tracked-key.ts';

/** Why a key is refreshed or not, and by what that is decided. Instants are epoch ms of the queue server. */
export interface Explanation {
  readonly loader: string;
  /** The params as canonical text. */
  readonly key: string;
  /** Whether it is refreshed (`planned`, `claimed`, `backoff`), or the first thing that stands against it. */
  readonly verdict: Verdict;
  /** The verdict in one sentence: `is refreshed in 12.3 s: 41 recent reads, threshold 8`. */
  readonly summary: string;
  /** When all of this was so. */
  readonly atMs: number;
  /** When it is refreshed if it goes on being read as now; null: not before something changes. */
  readonly refreshAtMs: number | null;
  readonly heat: ExplainedHeat;
  readonly entry: ExplainedEntry;
  /** Load time with its mean deviation: this entry's own, else the loader's; null: not known. */
  readonly load: Smoothed | null;
  /** How long jobs of this loader wait in the queue; null: not known. */
  readonly queueWait: Smoothed | null;
  /** How long before expiry a refresh has to be planned to land in time. */
  readonly leadMs: number;
  /** When the scheduler looks at the key next, and why then; null: not before it is read again. */
  readonly due: DueState | null;
  /** The last refresh, if it failed; null: it landed, or there was none. */
  readonly failure: Failure | null;
  /** The load of this key that is under way. */
  readonly lock: { readonly isHeld: boolean; readonly remainingMs: number };
  /** How the loader's keys are refreshed; `shadow` also where only shadow schedulers are there. */
  readonly mode: 'active' | 'shadow' | 'off';
  /** Since when the loader's refreshing is paused; null: it is not. */
  readonly pausedAtMs: number | null;
  /** When a scheduler and a worker of the loader were last seen; every 5 s if all is well, null: never. */
  readonly seen: { readonly schedulerAtMs: number | null; readonly workerAtMs: number | null };
}

export interface ExplainedHeat {
  readonly isTracked: boolean;
  /** Reads, each halved every 4 · ttl. */
  readonly recentReads: number;
  readonly readsPerSecond: number;
  /** Recent reads from which the key is worth a refresh now: less while the tracker is young. */
  readonly threshold: number;
}

export interface ExplainedEntry {
  /** `stale`: expired, but may still be served; `unreadable`: something is there that is no entry of ours. */
  readonly state: 'fresh' | 'stale' | 'invalidated' | 'expired' | 'missing' | 'unreadable';
  /** What is left of its freshness, negative after expiry; 0 where there is no entry. */
  readonly remainingMs: number;
  /** Time since its load began. */
  readonly ageMs: number;
  /** As stored, with its header. */
  readonly bytes: number;
  /** Null: none, or one that this version does not know. */
  readonly codec: string | null;
  readonly compression: CompressionAlgorithm | null;
  /** It says that there is no value. */
  readonly isNotFound: boolean;
  /** Lives in a row before this one that nobody read. */
  readonly unreadLives: number;
}
