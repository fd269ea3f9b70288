import type { CacheParts } from './cache-parts.ts';
import { EverwarmError } from './core/errors.ts';
import { settlesWithin } from './core/lifecycle.ts';
import type { UnderWay } from './core/under-way.ts';

/** How long `close()` lets running loads finish, and aborted ones give their locks back. */
const CLOSE_GRACE_MS = 2_000;
const ABORT_GRACE_MS = 500;

/** Sends what was counted, lets what is under way finish for a while, and closes the connections. */
export async function closeCache(parts: CacheParts, underWay: UnderWay): Promise<void> {
  const { bus, fenced, invalidator, versions, warmer, warmStart, local, servers, metrics } = parts;
  versions.close();
  warmStart.close();
  warmer.close();
  // What is invalidated until then may have to be repeated.
  const settled = underWay.settled().then(() => invalidator.close());
  await Promise.all([
    local.close(),
    settlesWithin(Promise.all([settled, fenced.idle()]), CLOSE_GRACE_MS),
  ]);
  // Also the loads to come: who waits for another process's finds Redis gone, and would begin one.
  fenced.abortAll(new EverwarmError('CLOSED', 'the cache was closed'));
  await settlesWithin(fenced.idle(), ABORT_GRACE_MS);
  bus.close();
  metrics?.close();
  servers.close();
}
