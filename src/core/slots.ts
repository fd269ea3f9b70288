/** At most so many pieces of work at a time; the others wait in line. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #nextWaiting = 0;

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Runs the work when a slot is free, at once if one is: then without a turn of the event loop. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  #pass(): void {
    const next = this.#waiting[this.#nextWaiting];
    if (next === undefined) {
      this.#free++;
      return;
    }
    // The line is cut off now and then: shift() would move all of it each time.
    this.#nextWaiting++;
    if (this.#nextWaiting === 1_000 || this.#nextWaiting === this.#waiting.length) {
      this.#waiting.splice(0, this.#nextWaiting);
      this.#nextWaiting = 0;
    }
    next();
  }
}
