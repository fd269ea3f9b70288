import type { Cancellation } from './cancellation.ts';

/** Node's longest timer, almost 25 days: a longer one would fire at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** Resolves when so much time has passed, not a moment earlier, or at the abort. */
export function waitUnlessAborted(waitMs: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    // Timers count whole milliseconds, of a clock that is cut off to whole ones itself.
    const timer = setTimeout(resolve, Math.min(Math.ceil(waitMs) + 1, LONGEST_TIMER_MS));
    cancellation.onAbort(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
