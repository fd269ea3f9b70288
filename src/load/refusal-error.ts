import { LoaderError } from '../core/errors.ts';
import type { Refusal, RefusedBy } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { LoadTarget } from '../loaders/run-loader.ts';

/** Why a loader was not called for a key, and when it can be. */
export function refusalError({ loader, key }: LoadTarget, refusal: Refusal): LoaderError {
  const { why, openMs } = refusal;
  const retryAfterMs = Math.ceil(refusal.retryAfterMs);
  const what = `loader "${loader.name}" was not called for key ${key}`;
  if (why === 'breaker') {
    const text = `${what}: its origin has been failing for ${Math.round(openMs)} ms, the next probe is in ${retryAfterMs} ms`;
    return new LoaderError('ORIGIN_UNAVAILABLE', text);
  }
  const text = `${what}: ${REASONS[why](loader)}, retry after ${retryAfterMs} ms`;
  return new LoaderError('RATE_LIMITED', text);
}

const REASONS: Readonly<Record<Exclude<RefusedBy, 'breaker'>, (loader: AnyLoader) => string>> = {
  rate: ({ origin }) => `its limit is ${origin?.rate?.max} calls per ${origin?.rate?.perMs} ms`,
  concurrency: ({ origin }) =>
    origin?.concurrency
      ? `its origin takes ${origin.concurrency} calls at a time`
      : 'its origin is recovering',
  'retry-after': () => 'its origin has asked for a pause',
};
