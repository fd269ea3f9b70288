import { EverwarmError, messageOf } from '../core/errors.ts';

/** What a server answers that is there, but not yet or no longer what it should be. */
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b/;

/** Whether a command failed because its server is away, and not because of what was asked. */
export function isAway(error: unknown): boolean {
  if (error instanceof EverwarmError) return error.code === 'REDIS_UNAVAILABLE';
  return isReply(error) && NOT_NOW.test(error.message);
}

/** A connection's error as Everwarm's own; a server's answer stays what it is. */
export function asUnavailable(error: unknown, what: string): unknown {
  if (error instanceof EverwarmError || isReply(error)) return error;
  const message = `${what}: ${messageOf(error)}`;
  return new EverwarmError('REDIS_UNAVAILABLE', message, { cause: error });
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
