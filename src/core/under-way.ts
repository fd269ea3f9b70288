/** Counts the work that has begun and not ended yet. */
export class UnderWay {
  #count = 0;
  #waiting: (() => void)[] = [];

  async run<T>(work: Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await work;
    } finally {
      if (--this.#count === 0) this.#end();
    }
  }

  /** Resolves once there is none. */
  async settled(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #end(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
