import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';

/** What Redis has not confirmed by then has failed. */
const DEADLINE_MS = 5_000;
const RETRY_MS = 50;

/**
 * Tries until Redis confirms it, or the attempt finds the connection closed for good.
 *
 * @throws EverwarmError CLOSED of the attempt; EverwarmError REDIS_UNAVAILABLE, `<what> within 5000 ms: …`, after the deadline
 */
export async function untilConfirmed<T>(
  clock: Clock,
  what: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const startedAtMs = clock.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof EverwarmError && error.code === 'CLOSED') throw error;
      if (clock.now() - startedAtMs > DEADLINE_MS) {
        const message = `${what} within ${DEADLINE_MS} ms: ${messageOf(error)}`;
        throw new EverwarmError('REDIS_UNAVAILABLE', message, { cause: error });
      }
      await delay(RETRY_MS);
    }
  }
}
