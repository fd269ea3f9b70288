import type { Clock } from '../core/clock.ts';
import { EverwarmError } from '../core/errors.ts';
import type { EntryStore } from '../redis/entry-store.ts';
import type { EntryPlace } from '../redis/fence.ts';
import { untilConfirmed } from './until-confirmed.ts';

/** A failover may lose the last writes: invalidations of this long are repeated after a reconnect. */
export const REPEAT_WINDOW_MS = 10_000;
const MAX_REPEATED = 50_000;
/** More scripts at a time would hold up the server's other clients. */
const CHUNK = 500;

/** An entry's place, and its key for messages. */
export type KeyPlace = EntryPlace & { readonly key: string };

export interface HowToInvalidate {
  /** Mark entries as invalidated instead of removing them. */
  readonly soft: boolean;
  /** Writes by this one instead of the usual one. */
  readonly store?: EntryStore;
  /** What could not be done, for messages. @defaultValue `'could not be invalidated'` */
  readonly failed?: string;
  /** Whether to repeat it after a reconnect. @defaultValue `true` */
  readonly isRepeated?: boolean;
}

interface Recent {
  readonly place: EntryPlace;
  readonly soft: boolean;
  readonly atMs: number;
}

/** Invalidates entries, each in a step that no load under way can undo. Never fails open. */
export class PlaceInvalidator {
  readonly #store: EntryStore;
  readonly #clock: Clock;
  readonly #recent: Recent[] = [];

  constructor(store: EntryStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Answers how many entries were removed or marked; retried until its deadline of 5 s for each 500.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE when it could not be confirmed
   */
  async invalidate(places: readonly KeyPlace[], how: HowToInvalidate): Promise<number> {
    let count = 0;
    for (let from = 0; from < places.length; from += CHUNK) {
      count += await this.#chunk(places.slice(from, from + CHUNK), how);
    }
    return count;
  }

  /**
   * After a reconnect: what was invalidated just before may have been lost with the old server. Answers what
   * it was.
   */
  async repeatRecent(): Promise<readonly EntryPlace[]> {
    this.#forgetOld();
    const recent = [...this.#recent];
    for (let from = 0; from < recent.length; from += CHUNK) {
      const chunk = recent.slice(from, from + CHUNK);
      await Promise.allSettled(
        chunk.map(({ place, soft }) => invalidateOne(this.#store, place, soft)),
      );
    }
    return recent.map(({ place }) => place);
  }

  async #chunk(places: readonly KeyPlace[], how: HowToInvalidate): Promise<number> {
    const { soft, store = this.#store, failed = 'could not be invalidated' } = how;
    const { isRepeated = true } = how;
    let left = places;
    let count = 0;
    const what = places.length === 1 ? `key ${places[0]?.key}` : `${places.length} keys`;
    await untilConfirmed(this.#clock, `${what} ${failed}`, async () => {
      if (store.isClosed)
        throw new EverwarmError('CLOSED', `${what} ${failed}: the cache is closed`);
      const tries = await Promise.allSettled(
        left.map((place) => invalidateOne(store, place, soft)),
      );
      count += tries.filter((one) => one.status === 'fulfilled' && one.value).length;
      left = left.filter((_, at) => tries[at]?.status === 'rejected');
      const lost = tries.find((one) => one.status === 'rejected');
      if (lost) throw lost.reason;
    });
    if (isRepeated) this.#remember(places, soft);
    return count;
  }

  #remember(places: readonly KeyPlace[], soft: boolean): void {
    this.#forgetOld();
    const atMs = this.#clock.now();
    for (const { entryKey, lockKey } of places) {
      this.#recent.push({ place: { entryKey, lockKey }, soft, atMs });
    }
    this.#recent.splice(0, Math.max(0, this.#recent.length - MAX_REPEATED));
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.now() - REPEAT_WINDOW_MS;
    const kept = this.#recent.findIndex(({ atMs }) => atMs >= oldestMs);
    this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
  }
}

function invalidateOne(store: EntryStore, place: EntryPlace, soft: boolean): Promise<boolean> {
  return soft ? store.mark(place) : store.invalidate(place);
}
