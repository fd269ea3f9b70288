/** How a read was answered: by a fresh value, by an expired one, or only once a load had ended. */
export type Answer = 'fresh' | 'stale' | 'waited';

/** What a policy is judged by, in counts; all of it after the warm-up. */
export interface Tally {
  reads: number;
  waits: number;
  hotReads: number;
  hotWaits: number;
  staleReads: number;
  /** Calls of the loader, whoever waits for them. */
  loads: number;
  /** Refreshed values whose life is over. */
  refreshedLives: number;
  /** Of these, how many nobody read. */
  wastedLives: number;
  /** Most loads that began in one second. */
  busiestSecond: number;
}

export interface ScoreParts {
  /** What happens before is not counted. */
  readonly countFromMs: number;
  /** Loads are told at most so long after a later one. */
  readonly horizonMs: number;
  /** 1: the key is hot. */
  readonly hot: Uint8Array;
}

/** Counts what a policy does. */
export class Score {
  readonly tally: Tally = {
    reads: 0,
    waits: 0,
    hotReads: 0,
    hotWaits: 0,
    staleReads: 0,
    loads: 0,
    refreshedLives: 0,
    wastedLives: 0,
    busiestSecond: 0,
  };
  readonly #parts: ScoreParts;
  readonly #loadsOfSecond = new Map<number, number>();
  readonly #secondsKept: number;

  constructor(parts: ScoreParts) {
    this.#parts = parts;
    this.#secondsKept = Math.ceil(parts.horizonMs / 1_000) + 2;
  }

  addRead(key: number, atMs: number, answer: Answer): void {
    if (atMs < this.#parts.countFromMs) return;
    const { tally } = this;
    const waits = answer === 'waited' ? 1 : 0;
    tally.reads++;
    tally.waits += waits;
    if (answer === 'stale') tally.staleReads++;
    if (this.#parts.hot[key] === 1) {
      tally.hotReads++;
      tally.hotWaits += waits;
    }
  }

  addLoad(startedAtMs: number): void {
    if (startedAtMs < this.#parts.countFromMs) return;
    const second = Math.floor(startedAtMs / 1_000);
    const loads = (this.#loadsOfSecond.get(second) ?? 0) + 1;
    this.#loadsOfSecond.set(second, loads);
    this.tally.loads++;
    this.tally.busiestSecond = Math.max(this.tally.busiestSecond, loads);
    if (this.#loadsOfSecond.size > 2 * this.#secondsKept) this.#forgetBefore(second);
  }

  /** The life of a refreshed value is over. */
  addRefreshedLife(beganAtMs: number, end: 'read' | 'unread'): void {
    if (beganAtMs < this.#parts.countFromMs) return;
    this.tally.refreshedLives++;
    if (end === 'unread') this.tally.wastedLives++;
  }

  #forgetBefore(second: number): void {
    for (const known of this.#loadsOfSecond.keys()) {
      if (known < second - this.#secondsKept) this.#loadsOfSecond.delete(known);
    }
  }
}
