import { EverwarmError } from '../src/core/errors.ts';

/** Runs a process's main function: an Everwarm error is one line on stderr and exit code 1. */
export async function runMain(main: () => Promise<unknown>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const text = error instanceof EverwarmError ? error.message : (error as Error)?.stack;
    process.stderr.write(`everwarm: ${text ?? error}\n`);
    process.exit(1);
  }
}
