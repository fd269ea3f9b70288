import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { halfLifeMs as halfLifeMsOf, readRate, recentReads } from '../policy/heat.ts';
import { EntryStore } from '../redis/entry-store.ts';
import { readHottest } from '../redis/hottest-tracked.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { entryState } from './entry-state.ts';
import type { ExplainedEntry, Explanation } from './explanation.ts';

/** One of a loader's hottest keys. */
export interface HotKey {
  /** The params as canonical text. */
  readonly key: string;
  /** Reads, each halved every 4 · ttl. */
  readonly recentReads: number;
  readonly readsPerSecond: number;
  readonly state: ExplainedEntry['state'];
  /** What is left of its freshness, negative after expiry; null: there is no entry. */
  readonly remainingMs: number | null;
  /** When the scheduler looks at it next; null: not before it is read again. */
  readonly due: Explanation['due'];
}

export interface HotKeysParts {
  readonly cache: RedisClient;
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** Reads a loader's hottest keys, hottest first; changes nothing. Rejects when Redis fails. */
export async function readHotKeys(
  { cache, queue, keys, clock }: HotKeysParts,
  loader: AnyLoader,
  count: number,
): Promise<readonly HotKey[]> {
  const nowMs = clock.now();
  const halfLifeMs = halfLifeMsOf(loader.ttlMs);
  const tracked = keys.tracker(loader, halfLifeMs);
  const hottest = await readHottest(queue, tracked, { count, nowMs, halfLifeMs });
  if (hottest.length === 0) return [];
  const entryKeys = hottest.map(({ key }) => keys.entry(loader, key));
  const headers = await new EntryStore(cache).headers(entryKeys);
  return hottest.map(({ key, logHeat, due }, index) => {
    const header = headers[index];
    const reads = recentReads(logHeat, { nowMs, halfLifeMs });
    return {
      key,
      recentReads: reads,
      readsPerSecond: 1_000 * readRate(reads, halfLifeMs),
      state: header ? entryState(loader, header, nowMs) : 'missing',
      remainingMs: header ? header.expiresAtMs - nowMs : null,
      due,
    };
  });
}
