import { CommanderError } from 'commander';
import { Teardown } from './teardown.ts';

const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
export const note = (line: string): void => void process.stderr.write(`${line}\n`);

/** The demo was told to stop. */
export class Interrupted extends Error {}

export interface Demo {
  readonly teardown: Teardown;
  /** Rejects with Interrupted as soon as a signal comes, whatever the work is at. */
  orInterrupted<T>(work: Promise<T>): Promise<T>;
}

/** Runs a demo, stops what it has started however it ends, and sets the exit code. */
export async function runDemo(run: (demo: Demo) => Promise<void>): Promise<void> {
  const teardown = new Teardown();
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => reject(new Interrupted(`stopped by ${signal}`)));
    }
  });
  interrupted.catch(() => {}); // also when nobody is waiting right now
  const orInterrupted = <T>(work: Promise<T>): Promise<T> => Promise.race([work, interrupted]);
  try {
    await run({ teardown, orInterrupted }).finally(() => teardown.run());
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  note(`demo: ${error instanceof Error ? error.message : error}`);
  return error instanceof Interrupted ? EXIT.interrupted : EXIT.failed;
}
