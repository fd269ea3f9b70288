import { type Logger, pino } from 'pino';
import { InvalidOptionError } from '../src/core/errors.ts';
import { LOG_FORMATS, LOG_LEVELS } from './log-choices.ts';

/** What a process writes its lines to. */
export type Log = Logger;

export interface LogFlags {
  /** The least level that is written. @defaultValue `'info'` */
  readonly logLevel?: string | undefined;
  /** @defaultValue `'pretty'` on a terminal, else `'json'` */
  readonly logFormat?: string | undefined;
}

/**
 * Opens a process's log on stdout: one JSON object a line, with time, level, role, event and `msg`, or lines
 * for people. Written at once: the last words of a process that ends are not lost.
 *
 * @throws InvalidOptionError for a level or a format that there is not
 */
export async function openLog(role: string, flags: LogFlags): Promise<Log> {
  const level = oneOf(LOG_LEVELS, flags.logLevel ?? 'info', '--log-level');
  const format = process.stdout.isTTY ? 'pretty' : 'json';
  const isPretty = oneOf(LOG_FORMATS, flags.logFormat ?? format, '--log-format') === 'pretty';
  const options = {
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, isPretty ? await prettyLines(level) : pino.destination({ sync: true }));
}

/** The log of another role in the same process. */
export function logOf(log: Log, role: string): Log {
  return log.child({ role });
}

async function prettyLines(level: string): Promise<NodeJS.WritableStream> {
  // Loaded by those alone who need it.
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({
    destination: 1,
    sync: true,
    colorize: process.stdout.isTTY === true && !process.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss.l',
    // What the fields say stands in the message; errors' stacks are for those who look for a bug.
    hideObject: level !== 'debug',
    ignore: 'role,pid',
    messageFormat: '[{role}] {msg}',
  });
}

function oneOf<T extends string>(choices: readonly T[], value: string, flag: string): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new InvalidOptionError(flag, value, `must be one of ${choices.join(', ')}`);
}
