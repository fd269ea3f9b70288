import type { Tracker } from '../redis/tracker.ts';

/** Woken at a time: more at once would be in the way of what is due meanwhile. */
const WOKEN = 2_000;
const MOST_WOKEN = 20_000;
/** What is not loaded again by then is loaded as it is read, or when it is due. */
const LONGEST_MS = 10_000;

/** After a wipe of the cache: wakes a loader's hottest keys, the next ones when those before have found room. */
export class Healing {
  readonly #tracker: Pick<Tracker, 'wakeHottest'>;
  #untilMs = 0;
  #woken = 0;
  #mayFollow = false;
  #isUnderWay = false;

  constructor(tracker: Pick<Tracker, 'wakeHottest'>) {
    this.#tracker = tracker;
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  async begin(nowMs: number): Promise<void> {
    this.#untilMs = nowMs + LONGEST_MS;
    this.#woken = 0;
    this.#isUnderWay = true;
    await this.#wake(nowMs);
  }

  /** After each tick; `hasLeft`: some of those that were due have found no room yet. */
  async goOn(nowMs: number, hasLeft: boolean): Promise<void> {
    if (!this.#isUnderWay || (hasLeft && nowMs < this.#untilMs)) return;
    const isOver = nowMs >= this.#untilMs || !this.#mayFollow || this.#woken >= MOST_WOKEN;
    if (isOver) this.#isUnderWay = false;
    else await this.#wake(nowMs);
  }

  async #wake(nowMs: number): Promise<void> {
    const passedOver = this.#woken;
    this.#woken += WOKEN;
    this.#mayFollow = await this.#tracker.wakeHottest(nowMs, WOKEN, passedOver);
  }
}
