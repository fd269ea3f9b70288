/** What a first pass over a trace learns: its keys, how often each is read, and its span. */
export class TraceKeys {
  /** Text by index, in order of first reads. */
  readonly texts: string[] = [];
  readonly #indices = new Map<string, number>();
  readonly #reads: number[] = [];
  firstMs = 0;
  lastMs = 0;
  reads = 0;
  longestTtlMs = 0;

  add(tMs: number, key: string, ttlMs: number): void {
    if (this.reads++ === 0) this.firstMs = tMs;
    this.lastMs = tMs;
    if (ttlMs > this.longestTtlMs) this.longestTtlMs = ttlMs;
    const index = this.#indices.get(key);
    if (index !== undefined) {
      this.#reads[index] = (this.#reads[index] as number) + 1;
      return;
    }
    // A part of a text keeps all of it alive: of a chunk of the file, here.
    const text = Buffer.from(key).toString();
    this.#indices.set(text, this.texts.length);
    this.texts.push(text);
    this.#reads.push(1);
  }

  get spanMs(): number {
    return this.lastMs - this.firstMs;
  }

  indexOf(key: string): number | undefined {
    return this.#indices.get(key);
  }

  /** 1 for each key that is read at least twice per ttl on average over the trace. */
  hot(ttlMs: number): Uint8Array {
    const atLeast = (2 * this.spanMs) / ttlMs;
    return Uint8Array.from(this.#reads, (reads) => (reads >= atLeast ? 1 : 0));
  }
}
