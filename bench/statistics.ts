/** What the rounds of one side came to. */
export interface Summary {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const lowest = sorted.at(0);
  const highest = sorted.at(-1);
  if (lowest === undefined || highest === undefined) throw new Error('no round was measured');
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? highest;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? lowest) : upper;
  return { median: (lower + upper) / 2, lowest, highest };
}
