const SIZE = 8_192;

/** The next reads of a trace: played to one policy after the other, whose state then stays at hand. */
export class ReadBatch {
  readonly keys: Int32Array = new Int32Array(SIZE);
  readonly atMs: Float64Array = new Float64Array(SIZE);
  /** 0: the key's last one. */
  readonly ttlMs: Float64Array = new Float64Array(SIZE);
  size = 0;

  get isFull(): boolean {
    return this.size === SIZE;
  }

  add(key: number, atMs: number, ttlMs: number): void {
    this.keys[this.size] = key;
    this.atMs[this.size] = atMs;
    this.ttlMs[this.size] = ttlMs;
    this.size++;
  }
}
