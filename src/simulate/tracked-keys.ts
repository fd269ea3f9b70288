import { addReads, fadedBelow } from '../policy/heat.ts';
import { LOWEST_THRESHOLD } from '../policy/threshold.ts';
import { TimeHeap } from './time-heap.ts';

/** A key that is due, and its log-heat; null when it has faded. */
export type Claimed = (key: number, logHeat: number | null) => void;

/**
 * The tracker of `redis/lua`: log-heats and dues by key. A due is a whole number of ms, and ends in .5
 * while it is a claim; NaN stands for none, as for a heat that was never counted.
 */
export class TrackedKeys {
  readonly #halfLifeMs: number;
  readonly #logHeat: Float64Array;
  readonly #due: Float64Array;
  /** Dues that were changed since stay in it, and are passed over. */
  readonly #queue = new TimeHeap();
  #dues = 0;
  #bornAtMs = Number.NaN;
  #hottest = Number.NEGATIVE_INFINITY;

  constructor(keys: number, halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
    this.#logHeat = new Float64Array(keys).fill(Number.NaN);
    this.#due = new Float64Array(keys).fill(Number.NaN);
  }

  /** How long reads have been counted. */
  ageMs(nowMs: number): number {
    return nowMs - this.#bornAtMs;
  }

  get hasDues(): boolean {
    return this.#dues > 0;
  }

  /** When the next key is due, claimed ones included, ms; Infinity when there is none. */
  get nextDueAtMs(): number {
    const queue = this.#queue;
    while (queue.size > 0 && this.#due[queue.nextKey] !== queue.nextAtMs) queue.pop();
    return queue.nextAtMs;
  }

  /** As record-access.lua: raises the heat; plans a first look, or brings a due forward. */
  record(
    key: number,
    reads: number,
    at: { readonly nowMs: number; readonly expiresAtMs: number; readonly lookAheadMs: number },
  ): void {
    const { nowMs, expiresAtMs, lookAheadMs } = at;
    const heatAt = { atMs: nowMs, nowMs, halfLifeMs: this.#halfLifeMs };
    if (!(this.#hottest >= fadedBelow(heatAt))) this.#bornAtMs = Math.floor(nowMs);
    const logHeat = addReads(this.logHeat(key, nowMs), reads, heatAt);
    this.#logHeat[key] = logHeat;
    this.#hottest = Math.max(this.#hottest, logHeat);

    const due = this.#due[key] as number;
    const expiryMs = Math.ceil(expiresAtMs);
    if (!this.isTracked(key)) {
      const isTwiceRead = logHeat - nowMs / this.#halfLifeMs >= Math.log2(LOWEST_THRESHOLD);
      if (isTwiceRead) this.setDue(key, Math.floor(Math.max(nowMs, expiryMs - lookAheadMs)));
    } else if (due % 1 === 0 && due > expiryMs) this.setDue(key, Math.floor(nowMs));
  }

  /** Null: never read, or so long ago that the tracker was trimmed of it. */
  logHeat(key: number, nowMs: number): number | null {
    const logHeat = this.#logHeat[key] as number;
    return logHeat >= fadedBelow({ nowMs, halfLifeMs: this.#halfLifeMs }) ? logHeat : null;
  }

  /** As claim-due.lua: every key that is due by now, each claimed until then. */
  claim(nowMs: number, untilMs: number, claimed: Claimed): void {
    const keys: number[] = [];
    while (this.nextDueAtMs <= nowMs) {
      const key = this.#queue.pop();
      this.setDue(key, Math.floor(untilMs) + 0.5);
      keys.push(key);
    }
    for (const key of keys) claimed(key, this.logHeat(key, nowMs));
  }

  /** Whether the key has a due. */
  isTracked(key: number): boolean {
    return !Number.isNaN(this.#due[key]);
  }

  /** As settle.lua and rearm.lua: when to look next, or null to forget. */
  setDue(key: number, dueAtMs: number | null): void {
    const had = this.isTracked(key) ? 1 : 0;
    this.#due[key] = dueAtMs ?? Number.NaN;
    if (dueAtMs !== null) this.#queue.push(dueAtMs, key);
    this.#dues += (dueAtMs === null ? 0 : 1) - had;
  }
}
