import { LRUCache } from 'lru-cache';
import type { FencedLoad } from '../load/fenced-load.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { ReadRef } from './read-ref.ts';

const MAX_BACKGROUND_LOADS = 8;
/** One life's refresh is tried that often, whether its lock is held elsewhere or its loader fails. */
const STEP_IN_AGAIN_MS = 1_000;
const MAX_STEPPED_IN = 10_000;

/** Refreshes by a reader of keys that nobody has refreshed in time: no scheduler, no worker, or both too late. */
export class LateRefreshes {
  readonly #fenced: FencedLoad;
  readonly #steppedIn = new LRUCache<string, true>({ max: MAX_STEPPED_IN, ttl: STEP_IN_AGAIN_MS });
  #underWay = 0;

  constructor(fenced: FencedLoad) {
    this.#fenced = fenced;
  }

  /** Refreshes the key in the background, if there is room and its life was not tried just now. */
  stepIn(ref: ReadRef, header: EntryHeader): void {
    const life = `${ref.entryKey} ${header.expiresAtMs}`;
    if (this.#underWay >= MAX_BACKGROUND_LOADS || this.#steppedIn.has(life)) return;
    this.#steppedIn.set(life, true);
    this.#underWay++;
    this.#fenced
      .refresh(ref, header)
      .then(() => ref.tier?.drop(ref.key))
      .catch(() => undefined) // The connection has reported it; the entry is still fresh.
      .finally(() => {
        this.#underWay--;
      });
  }
}
