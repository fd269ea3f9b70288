import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { withinTimeout } from './connection.ts';
import type { RedisClient } from './redis-client.ts';

/** A scan that has made no progress for so long has failed. */
const DEADLINE_MS = 5_000;
const RETRY_MS = 50;
/** A server that is lost again and again shall not be scanned for ever. */
const MAX_RESTARTS = 20;

export interface FullScan {
  /** What is scanned, for messages. */
  readonly what: string;
  /** Whose cursors these are. */
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly next: (cursor: string) => Promise<[cursor: string, found: string[]]>;
  /** Takes a batch; the next one is asked for when it is done. */
  readonly visit: (found: readonly string[]) => Promise<void>;
}

/**
 * Visits at least everything that is there from the beginning to the end, some of it perhaps twice.
 * Begins again when the connection was lost: a cursor means nothing to a server that took over.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE without progress for 5 s; CLOSED once the connection is closed
 */
export async function scanFully(scan: FullScan): Promise<void> {
  const connection = { wasLost: false };
  const onReady = (): void => {
    connection.wasLost = true;
  };
  // Many scans at a time are no leak.
  scan.client.setMaxListeners(scan.client.getMaxListeners() + 1);
  scan.client.on('ready', onReady);
  try {
    for (let restarts = 0; restarts <= MAX_RESTARTS; restarts++) {
      connection.wasLost = false;
      if (await reachesEnd(scan, connection)) return;
    }
    throw failed(scan, 'the connection was lost too often');
  } finally {
    scan.client.off('ready', onReady);
    scan.client.setMaxListeners(scan.client.getMaxListeners() - 1);
  }
}

interface Connection {
  wasLost: boolean;
}

/** False: the connection was lost on the way. */
async function reachesEnd(scan: FullScan, connection: Connection): Promise<boolean> {
  let cursor = '0';
  do {
    const [next, found] = await untilAnswered(scan, cursor, connection);
    await scan.visit(found);
    if (connection.wasLost) return false;
    cursor = next;
  } while (cursor !== '0');
  return true;
}

async function untilAnswered(
  scan: FullScan,
  cursor: string,
  connection: Connection,
): Promise<[cursor: string, found: string[]]> {
  const { clock, what, next } = scan;
  const failAtMs = clock.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await withinTimeout(next(cursor), `scanning ${what}`);
    } catch (error) {
      // By us, for good: a connection that is lost is opened again.
      if (scan.client.status === 'end') throw new EverwarmError('CLOSED', `${what}: it is closed`);
      if (clock.now() > failAtMs) throw failed(scan, messageOf(error), error);
      connection.wasLost = true;
      await delay(RETRY_MS);
    }
  }
}

function failed({ what }: FullScan, why: string, cause?: unknown): EverwarmError {
  return new EverwarmError('REDIS_UNAVAILABLE', `${what} could not be scanned: ${why}`, { cause });
}
