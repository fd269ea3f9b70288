/** Takes a key's counted reads, and the expiry that the last of them saw. */
export type Recorded = (key: number, reads: number, expiresAtMs: number) => void;

/** Counts reads as `AccessRecorder` does, for one process: sent together, every flush interval. */
export class ReadCounter {
  readonly #flushMs: number;
  readonly #pending: Uint32Array;
  readonly #inLife: Uint32Array;
  readonly #expiresAtMs: Float64Array;
  #unsent: number[] = [];
  #flushAtMs = Number.POSITIVE_INFINITY;

  constructor(keys: number, flushMs: number) {
    this.#flushMs = flushMs;
    this.#pending = new Uint32Array(keys);
    this.#inLife = new Uint32Array(keys);
    this.#expiresAtMs = new Float64Array(keys);
  }

  /** When what is pending is sent, ms; Infinity while nothing is. */
  get flushAtMs(): number {
    return this.#flushAtMs;
  }

  /** Counts reads of one life of the key's entry; answers how many there were. */
  count(
    key: number,
    read: { readonly nowMs: number; readonly reads: number; readonly expiresAtMs: number },
  ): number {
    const { nowMs, reads, expiresAtMs } = read;
    if (this.#unsent.length === 0) {
      this.#flushAtMs = (Math.floor(nowMs / this.#flushMs) + 1) * this.#flushMs;
    }
    if (this.#pending[key] === 0) this.#unsent.push(key);
    this.#pending[key] = (this.#pending[key] as number) + reads;
    if (this.#expiresAtMs[key] !== expiresAtMs) {
      this.#expiresAtMs[key] = expiresAtMs;
      this.#inLife[key] = 0;
    }
    this.#inLife[key] = (this.#inLife[key] as number) + reads;
    return this.#inLife[key] as number;
  }

  flush(recorded: Recorded): void {
    const keys = this.#unsent;
    this.#unsent = [];
    this.#flushAtMs = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const reads = this.#pending[key] as number;
      this.#pending[key] = 0;
      recorded(key, reads, this.#expiresAtMs[key] as number);
    }
  }
}
