import { Command, InvalidArgumentError } from 'commander';

export interface BenchOptions {
  readonly json: boolean;
  readonly rounds: number;
}

/** A benchmark's command line, with the options that all of them have. */
export function benchCommand(name: string, description: string, rounds: number): Command {
  return new Command(`npm run bench:${name} --`)
    .description(description)
    .option('--json', 'print the result as one JSON object on the last line', false)
    .option('--rounds <n>', 'measured rounds of each side', wholeNumberFrom(1), rounds);
}

/** Parses a whole number within these bounds. */
export function wholeNumberFrom(
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const isWhole = text.trim() !== '' && Number.isSafeInteger(value);
    if (isWhole && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
