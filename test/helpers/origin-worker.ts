import { onTestFinished } from 'vitest';
import { createWorker, type EventMap, type Loader } from '../../src/index.ts';
import { encodeKey } from '../../src/loaders/key-codec.ts';
import { RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { recorded } from './cache.ts';
import { connect, redisUrl } from './redis.ts';

interface StartedWorker {
  /** Tracks the keys and enqueues their refresh, as a scheduler does. */
  refresh(keys: readonly string[]): Promise<void>;
  /** Before the test's end. */
  close(): Promise<void>;
  readonly tracker: Tracker;
  readonly skips: readonly EventMap['refresh:skipped'][];
  readonly failures: readonly EventMap['refresh:failed'][];
  readonly outages: readonly EventMap['redis:failed'][];
  readonly refreshed: readonly EventMap['refresh:completed'][];
}

/** A worker of one loader on the shared server, closed with the test. */
export function startWorker(namespace: string, loader: Loader<string, string>): StartedWorker {
  const worker = createWorker({ redis: redisUrl(), namespace, loaders: [loader] });
  onTestFinished(() => worker.close());
  const redis = connect();
  const keys = new Keys(namespace);
  const queue = new RefreshQueue(redis, keys, loader);
  onTestFinished(() => queue.close());
  const tracker = new Tracker(redis, keys, loader);
  return {
    tracker,
    close: () => worker.close(),
    skips: recorded(worker, 'refresh:skipped'),
    failures: recorded(worker, 'refresh:failed'),
    outages: recorded(worker, 'redis:failed'),
    refreshed: recorded(worker, 'refresh:completed'),
    refresh: async (texts) => {
      await worker.ready();
      const nowMs = Date.now();
      const reads = { reads: 4, expiresAtMs: nowMs + loader.ttlMs };
      const records = texts.map((text) => ({ key: encodeKey(text), ...reads }));
      await tracker.record(records, { nowMs, lookAheadMs: loader.ttlMs });
      const planned = { seenCreatedAtMs: 0, logHeat: 1, unreadLives: 0, isAlone: false };
      const refreshes = texts.map((text) => ({
        key: encodeKey(text),
        expiresAtMs: nowMs,
        ...planned,
      }));
      await queue.enqueue(refreshes, { nowMs, deadlineAtMs: nowMs + 30_000 });
    },
  };
}
