import { type ErrorCode, InvalidOptionError } from '../core/errors.ts';
import { type CallEnd, LONGEST_PAUSE_MS } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Loaded } from '../loaders/run-loader.ts';

/** What was given up says nothing of the origin. */
const GIVEN_UP: ReadonlySet<ErrorCode> = new Set(['LOAD_ABORTED', 'CLOSED']);
/** Threw, or answered in no time. An answer that is not believed or does not match is an answer. */
const FAILED: ReadonlySet<ErrorCode> = new Set(['LOADER_FAILED', 'LOADER_TIMEOUT']);

/** How a loader call ended, for its origin: a `loadMany` that answered one key has been answered. */
export function endOf(answers: readonly Loaded[]): CallEnd {
  const judged = answers.filter((one) => !('error' in one && GIVEN_UP.has(one.error.code)));
  if (judged.length === 0) return 'none';
  const isFailed = judged.every((one) => 'error' in one && FAILED.has(one.error.code));
  return isFailed ? 'failed' : 'answered';
}

/** For how long its errors ask not to be called again, at most an hour. */
export function pauseMsOf(loader: AnyLoader, answers: readonly Loaded[]): number {
  let pauseMs = 0;
  const asked = new Set<unknown>();
  for (const answer of answers) {
    if (!('error' in answer) || GIVEN_UP.has(answer.error.code)) continue;
    const { cause } = answer.error;
    if (asked.has(cause)) continue; // One error fails all keys of a loadMany.
    asked.add(cause);
    pauseMs = Math.max(pauseMs, askedPauseMs(loader, cause));
  }
  return Math.min(pauseMs, LONGEST_PAUSE_MS);
}

function askedPauseMs({ name, origin }: AnyLoader, error: unknown): number {
  const retryAfter = origin?.retryAfter;
  if (!retryAfter) return ownRetryAfterMs(error);
  const path = `loader "${name}": origin.retryAfter(error)`;
  try {
    const answer: unknown = retryAfter(error);
    if (answer === undefined) return 0;
    if (typeof answer === 'number' && answer >= 0 && answer < Number.POSITIVE_INFINITY) {
      return answer;
    }
    // An async function's promise is no number, and nobody else will look at it.
    if (answer instanceof Promise) answer.catch(() => undefined);
    warn(new InvalidOptionError(path, answer, 'must be milliseconds or undefined'));
  } catch (thrown) {
    warn(new InvalidOptionError(path, thrown, 'must not throw'));
  }
  return 0;
}

/** Of any error, so that nonsense is nothing: it was not meant for us. */
function ownRetryAfterMs(error: unknown): number {
  try {
    const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown };
    const isSpan = typeof retryAfterMs === 'number' && retryAfterMs > 0;
    return isSpan && Number.isFinite(retryAfterMs) ? retryAfterMs : 0;
  } catch {
    return 0;
  }
}

// The load has failed with an error of its own, which its readers get: this one is its definition's.
function warn(error: InvalidOptionError): void {
  process.emitWarning(error.message, 'EverwarmWarning');
}
