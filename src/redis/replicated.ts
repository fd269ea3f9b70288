import { EverwarmError } from '../core/errors.ts';
import { EntryStore } from './entry-store.ts';
import { mastersOf, type RedisClient } from './redis-client.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const WAIT_MS = 1_000;

/**
 * Writes, and waits until a replica of each master has what was written. On a connection of its own: WAIT
 * holds up whatever is sent after it.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE when a replica did not have it within 1 s; it is written all
 * the same
 */
export async function replicated<T>(
  client: RedisClient,
  write: (store: EntryStore) => Promise<T>,
): Promise<T> {
  // One server's and a cluster's take other arguments; without any they are alike.
  const own = (client.duplicate as () => RedisClient).call(client);
  own.on('error', () => undefined); // It fails as the client's own connection does, which reports it.
  try {
    await untilReady(own);
    const result = await write(new EntryStore(own));
    const replicas = await Promise.all(mastersOf(own).map((master) => master.wait(1, WAIT_MS)));
    if (replicas.some((count) => count < 1)) {
      const message = `the invalidation was carried out, but reached no replica within ${WAIT_MS} ms`;
      throw new EverwarmError('REDIS_UNAVAILABLE', message);
    }
    return result;
  } finally {
    own.disconnect();
  }
}

async function untilReady(own: RedisClient): Promise<void> {
  if (own.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const message = `no connection for a durable invalidation within ${CONNECT_TIMEOUT_MS} ms`;
    const late = (): void => reject(new EverwarmError('REDIS_UNAVAILABLE', message));
    const timeout = setTimeout(late, CONNECT_TIMEOUT_MS);
    own.once('ready', () => {
      clearTimeout(timeout);
      resolve();
    });
  });
}
