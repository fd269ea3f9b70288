import { EverwarmError } from '../../src/core/errors.ts';

/** What to answer with: Express' own errors, as for a body that is too long, carry it; Redis that is away is 503. */
export function statusOfError(error: unknown): number {
  if (error instanceof EverwarmError && error.code === 'REDIS_UNAVAILABLE') return 503;
  if (isConnectionError(error)) return 503;
  const status = error instanceof Error && 'status' in error ? error.status : 500;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** As ioredis puts it when a command is not, or no longer, on its way. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    /Stream isn't writeable|Connection is closed|ECONNREFUSED|ECONNRESET|Socket timeout/.test(
      error.message,
    )
  );
}
