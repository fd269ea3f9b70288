/** Work that has begun and has not ended yet. */
export class UnderWay {
  readonly #work = new Set<Promise<unknown>>();

  async run<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  /** Resolves once there is none. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
