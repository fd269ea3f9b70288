import { type Summary, summarize } from './statistics.ts';

/** One of the things that are compared: a call of `run` is a round of it and answers what it measured. */
export interface Side {
  readonly name: string;
  run(): Promise<number>;
}

export interface Measured {
  readonly name: string;
  readonly summary: Summary;
}

/**
 * Runs the sides in turn, round by round, so that whatever slows the machine down for a while slows all
 * of them down. Each round begins with another side; the warm-up rounds do not count.
 */
export async function alternate(
  sides: readonly Side[],
  { rounds, warmUpRounds = 1 }: { readonly rounds: number; readonly warmUpRounds?: number },
): Promise<readonly Measured[]> {
  const results = sides.map((side) => ({ side, values: [] as number[] }));
  for (let round = -warmUpRounds; round < rounds; round++) {
    const first = Math.abs(round) % results.length;
    for (const { side, values } of [...results.slice(first), ...results.slice(0, first)]) {
      const value = await side.run();
      if (round >= 0) values.push(value);
    }
  }
  return results.map(({ side, values }) => ({ name: side.name, summary: summarize(values) }));
}
