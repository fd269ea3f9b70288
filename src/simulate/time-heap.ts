/** What is to happen, by time: a binary heap of keys, each as often as it was put in. */
export class TimeHeap {
  #times = new Float64Array(64);
  #keys = new Int32Array(64);
  #size = 0;

  /** When the next one is, ms; Infinity when there is none. */
  get nextAtMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  /** Whose it is; only while there is one. */
  get nextKey(): number {
    return this.#keys[0] as number;
  }

  get size(): number {
    return this.#size;
  }

  push(atMs: number, key: number): void {
    if (this.#size === this.#times.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= atMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = atMs;
    this.#keys[at] = key;
  }

  /** Takes the next one out; only while there is one. */
  pop(): number {
    const first = this.#keys[0] as number;
    const last = --this.#size;
    const atMs = this.#times[last] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      const right = child + 1;
      if (right < last && (this.#times[right] as number) < (this.#times[child] as number)) {
        child = right;
      }
      if ((this.#times[child] as number) >= atMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = atMs;
    this.#keys[at] = this.#keys[last] as number;
    return first;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#keys[to] = this.#keys[from] as number;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#size);
    const keys = new Int32Array(2 * this.#size);
    times.set(this.#times);
    keys.set(this.#keys);
    this.#times = times;
    this.#keys = keys;
  }
}
