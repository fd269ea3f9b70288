import { expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { defineLoader } from '../../src/loaders/define-loader.ts';
import { RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { LoaderStatsStore } from '../../src/redis/loader-stats.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { LoaderScheduler } from '../../src/schedule/loader-scheduler.ts';
import { entryBytes } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 60_000;
const KEYS = 6_000;
/** Not at the beginning of a second: the schedulers' seconds are not the keys'. */
const LOADED_AT_MS = 1_790_000_000_300;
const item = defineLoader({ name: 'item', ttl: TTL_MS, load: () => 1 });

test('keys that were loaded within one second are planned evenly, by schedulers that share only their claims', async () => {
  const keys = new Keys(uniqueNamespace());
  const redis = connect();
  const tracked = { ...item, mostSkewMs: 1e15 };
  const tracker = new Tracker(redis, keys, tracked);
  const pipeline = redis.pipeline();
  const records = Array.from({ length: KEYS }, (_, at) => {
    const createdAtMs = LOADED_AT_MS + Math.floor((1_000 * at) / KEYS);
    const expiresAtMs = createdAtMs + TTL_MS;
    pipeline.set(keys.entry(item, `${at}`), entryBytes(at, { createdAtMs, expiresAtMs }));
    return { key: `${at}`, reads: 20, expiresAtMs };
  });
  await pipeline.exec();
  await tracker.record(records, { nowMs: LOADED_AT_MS, lookAheadMs: TTL_MS / 2 });
  const nowMs = LOADED_AT_MS + 1_000 + TTL_MS / 2;
  const schedulers = [0, 1].map(() => {
    const connection = connect();
    const queue = new RefreshQueue(connection, keys, item);
    onTestFinished(() => queue.close());
    return new LoaderScheduler({
      loader: item,
      keys,
      tracker: new Tracker(connection, keys, tracked),
      store: new EntryStore(connection),
      stats: new LoaderStatsStore(connection, keys, item),
      originState: async () => null,
      queue,
      clock: { now: () => nowMs },
      events: new Events(),
      tickMs: 250,
      claimTtlMs: 60_000,
      maxTrackedKeys: 2 * KEYS,
      mode: 'active',
    });
  });

  await Promise.all(schedulers.map((scheduler) => scheduler.tick()));

  const { due } = keys.tracker(item, tracker.halfLifeMs);
  const seconds = new Map<number, number>();
  const scores = (await redis.zrange(due, '0', '-1', 'WITHSCORES')).filter((_, at) => at % 2 === 1);
  for (const score of scores) {
    const second = Math.floor(Number(score) / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  expect(scores).toHaveLength(KEYS);
  expect(Math.min(...scores.map(Number))).toBeGreaterThan(nowMs);
  const span = Math.max(...seconds.keys()) - Math.min(...seconds.keys()) + 1;
  expect(Math.max(...seconds.values()) / (KEYS / span)).toBeLessThan(1.3);
});
