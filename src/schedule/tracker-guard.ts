import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import type { Tracker } from '../redis/tracker.ts';

export interface TrackerGuardParts {
  readonly loader: { readonly name: string };
  readonly tracker: Tracker;
  readonly clock: Clock;
  readonly events: Events;
  /** Null: no limit but the server's memory. */
  readonly maxTrackedBytes: number | null;
  /** Longest time until the guard looks again. */
  readonly everyMs: number;
}

/** Share of the queue server's memory from which on no new keys are tracked, and from which the coldest leave. */
const TIGHT = 0.8;
const VERY_TIGHT = 0.9;
/** What stays, of a tracker over its limit or on a server that is almost full. */
const KEPT_SHARE = 0.9;
/** So few keys are not what fills a server. */
const LEAST_KEPT = 1_000;
/** Keys leave by 1,000: no look of the guard holds up the server's other clients for long. */
const TRIM_CHUNKS = 20;

/**
 * Keeps one tracker within its bytes and its server's memory: a queue server that is out of memory takes
 * no job, no lock and no read any more, and heat is what can best be done without.
 */
export class TrackerGuard {
  readonly #parts: TrackerGuardParts;

  constructor(parts: TrackerGuardParts) {
    this.#parts = parts;
  }

  /** @param usedShare - of the queue server's maxmemory; 0 where it has none. Rejects when Redis fails. */
  async look(usedShare: number): Promise<void> {
    const { tracker, events, loader, maxTrackedBytes, everyMs } = this.#parts;
    const bytes = maxTrackedBytes === null ? null : await tracker.bytes();
    const isOver = maxTrackedBytes !== null && bytes !== null && bytes > maxTrackedBytes;
    if (!isOver && usedShare < TIGHT) return;
    // Longer than until the next look, which says so again if need be.
    await tracker.refuseNew(3 * everyMs);
    const keys = await tracker.count();
    const mostKeys = isOver ? (keys * maxTrackedBytes) / bytes : keys;
    const isTight = usedShare >= VERY_TIGHT;
    const most = isTight ? Math.min(mostKeys, Math.max(KEPT_SHARE * keys, LEAST_KEPT)) : mostKeys;
    if (most < keys) await this.#trimTo(Math.floor(most));
    const trimmed = keys - (most < keys ? await tracker.count() : keys);
    const why = isOver ? 'bytes' : 'memory';
    events.emit('tracker:limited', { loader: loader.name, why, keys, trimmed, bytes, usedShare });
  }

  async #trimTo(keys: number): Promise<void> {
    const { tracker, clock } = this.#parts;
    for (let chunk = 0; chunk < TRIM_CHUNKS; chunk++) {
      if (!(await tracker.trim(clock.now(), keys))) return;
    }
  }
}
