import type { Policy } from './policy.ts';
import type { Answer } from './score.ts';
import { TimeHeap } from './time-heap.ts';
import type { Values } from './values.ts';

const UNREAD_TTLS = 2;

/** A timer per key: refreshes every value so that the next one lands as it expires, until nobody has read the key for two ttl. */
export class Timers implements Policy {
  readonly #values: Values;
  readonly #timers = new TimeHeap();
  readonly #lastReadAtMs: Float64Array;

  constructor(values: Values) {
    this.#values = values;
    this.#lastReadAtMs = new Float64Array(values.keys);
  }

  read(key: number, nowMs: number): Answer {
    this.#advance(nowMs);
    this.#lastReadAtMs[key] = nowMs;
    const wasLoading = this.#values.isLoading(key);
    const answer = this.#values.read(key, nowMs);
    if (answer === 'waited' && !wasLoading) this.#startTimer(key, nowMs + this.#values.loadMs(key));
    return answer;
  }

  finish(endMs: number): void {
    this.#advance(endMs);
    this.#values.finish(endMs);
  }

  #advance(nowMs: number): void {
    while (this.#timers.nextAtMs <= nowMs) {
      const atMs = this.#timers.nextAtMs;
      this.#fire(this.#timers.pop(), atMs);
    }
  }

  #fire(key: number, atMs: number): void {
    const values = this.#values;
    const unreadMs = atMs - (this.#lastReadAtMs[key] as number);
    if (unreadMs > UNREAD_TTLS * values.ttlMs(key)) return;
    values.settle(key, atMs);
    this.#startTimer(key, values.begin(key, atMs, 'refresh'));
  }

  /** So that the load after this one, which lands then, lands when its value expires. */
  #startTimer(key: number, landsAtMs: number): void {
    const lifeMs = this.#values.ttlMs(key) - this.#values.loadMs(key);
    this.#timers.push(landsAtMs + Math.max(0, Math.floor(lifeMs)), key);
  }
}
