/** Counts of what was observed, by upper bounds: plain numbers, so that to observe costs next to nothing. */
export class Histogram {
  /** Ascending; what is over the last one is counted beside it. */
  readonly bounds: readonly number[];
  /** How many were at most the bound in the same place, and over the one before; the last: over all bounds. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    counts[at] = (counts[at] as number) + 1;
    this.sum += value;
  }

  /** Adds what another one of the same bounds has counted. */
  add(other: Histogram): void {
    for (const [at, count] of other.counts.entries()) {
      this.counts[at] = (this.counts[at] ?? 0) + count;
    }
    this.sum += other.sum;
  }
}
