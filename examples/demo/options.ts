import { Command, InvalidArgumentError } from 'commander';

export interface DemoOptions {
  /** How many times faster than recorded; TTL and load times are divided by it too. */
  readonly speed: number;
  /** How much of the trace is replayed, in seconds of the trace. */
  readonly seconds: number;
  /** How long an entry lives, in seconds of the trace. */
  readonly ttlSeconds: number;
  readonly json: boolean;
  readonly serve: boolean;
}

/** The library's shortest ttl; a shorter one is refused here, in the words of this command line. */
const SHORTEST_TTL_MS = 100;

/**
 * Reads the arguments after `main.js`.
 *
 * @throws CommanderError after printing what is wrong (exitCode 1) or the help (exitCode 0)
 */
export function parseOptions(args: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description(
      'Replays real DNS lookups against two caches on the same origin: plain cache-aside, and Everwarm.',
    )
    .option('--speed <factor>', 'times faster than recorded', numberWithin(1, 1_000), 10)
    .option('--seconds <n>', 'seconds of the trace to replay', numberWithin(1, 1e6), 600)
    .option(
      '--ttl <seconds>',
      'life of an entry, in seconds of the trace',
      numberWithin(0.1, 86_400),
      60,
    )
    .option('--json', 'print the result as one JSON object on the last line', false)
    .option('--serve', "show the refresh queue's dashboard and keep it up until Ctrl-C", false)
    .exitOverride();
  command.parse(args, { from: 'user' });

  const { ttl, ...rest } = command.opts<Omit<DemoOptions, 'ttlSeconds'> & { ttl: number }>();
  const ttlMs = (ttl * 1_000) / rest.speed;
  if (ttlMs < SHORTEST_TTL_MS) {
    command.error(
      `error: --ttl (${ttl}) divided by --speed (${rest.speed}) is ${ttlMs.toFixed(1)} ms: must be at least ${SHORTEST_TTL_MS} ms`,
    );
  }
  return { ...rest, ttlSeconds: ttl };
}

/** Parses a number of the command line. */
export function numberWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  };
}
