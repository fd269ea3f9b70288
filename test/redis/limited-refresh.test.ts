import { describe, expect, onTestFinished, test } from 'vitest';
import { createWorker, type Loader, type RefreshWorkers } from '../../src/index.ts';
import { encodeKey } from '../../src/loaders/key-codec.ts';
import { RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import {
  commandCalls,
  entryBytes,
  entryKey,
  nextEvent,
  openCache,
  ownServer,
  recorded,
} from '../helpers/cache.ts';
import { limited } from '../helpers/limited-loader.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

describe('a refresh of a loader at its limit', () => {
  function startWorker(namespace: string, loader: Loader<string, string>): RefreshWorkers {
    const worker = createWorker({ redis: redisUrl(), namespace, loaders: [loader] });
    onTestFinished(() => worker.close());
    return worker;
  }

  async function enqueue(
    namespace: string,
    loader: Loader<string, string>,
    keys: readonly string[],
  ): Promise<void> {
    const queue = new RefreshQueue(connect(), new Keys(namespace), loader);
    onTestFinished(() => queue.close());
    const nowMs = Date.now();
    const refreshes = keys.map((key) => {
      const planned = { seenCreatedAtMs: 0, logHeat: 1, unreadLives: 0, isAlone: false };
      return { key: encodeKey(key), expiresAtMs: nowMs, ...planned };
    });
    await queue.enqueue(refreshes, { nowMs, deadlineAtMs: nowMs + 30_000 });
  }

  test('is postponed until asking can succeed: not failed, its attempts as they were', async () => {
    const namespace = uniqueNamespace();
    const { loader, calls } = limited({ perMs: 10_000 });
    const redis = connect();
    const tracker = new Tracker(redis, new Keys(namespace), loader);
    const cache = await openCache({ namespace, loaders: [loader], recording: false });
    await cache.get(loader, 'a');
    const nowMs = Date.now();
    const reads = { reads: 4, expiresAtMs: nowMs + 60_000 };
    await tracker.record(
      ['b', 'c'].map((key) => ({ key, ...reads })),
      { nowMs, lookAheadMs: 60_000 },
    );
    const failure = { attempts: 3, error: 'down', retryAtMs: nowMs };
    await tracker.rearm([{ key: 'c', dueAtMs: nowMs, failure }]);
    const worker = startWorker(namespace, loader);
    const skips = recorded(worker, 'refresh:skipped');
    const failures = recorded(worker, 'load:failed');
    await enqueue(namespace, loader, ['b', 'c']);

    await expect.poll(() => skips, { timeout: 5_000 }).toHaveLength(2);

    expect(skips).toEqual(
      expect.arrayContaining([
        { loader: 'item', key: 'b', why: 'limited' },
        { loader: 'item', key: 'c', why: 'limited' },
      ]),
    );
    const { due } = new Keys(namespace).tracker(loader, tracker.halfLifeMs);
    const dues = async (): Promise<number[]> =>
      (await redis.zmscore(due, 'b', 'c')).map(Number).sort((a, b) => a - b);
    await expect.poll(async () => (await dues())[0]).toBeGreaterThan(nowMs + 9_000);
    const [first = 0, second = 0] = await dues();
    expect(second - first).toBeGreaterThan(4_000); // One after the other, at the pace of the limit.
    expect([first % 1, second % 1]).toEqual([0.25, 0.25]); // Reads don't bring them forward.
    expect(await tracker.failedAttempts(['b', 'c'])).toEqual([0, 3]);
    expect(failures).toEqual([]);
    expect(calls).toHaveLength(1);
    const places = ['b', 'c'].map((key) => `${entryKey(namespace, loader, key)}:lock`);
    expect(await redis.exists(...places)).toBe(0);
  });

  test('waits for a permit that is near', async () => {
    const namespace = uniqueNamespace();
    const { loader, calls } = limited({ perMs: 150 });
    const cache = await openCache({ namespace, loaders: [loader], recording: false });
    await cache.get(loader, 'a');
    const worker = startWorker(namespace, loader);
    const refreshed = nextEvent(worker, 'refresh:completed');
    await enqueue(namespace, loader, ['b']);
    expect(await refreshed).toMatchObject({ key: 'b' });
    expect(calls).toHaveLength(2);
  });

  test('takes no permit for a key that is fresh or held', async () => {
    const namespace = uniqueNamespace();
    const { loader, calls } = limited({ max: 2, perMs: 60_000 });
    const cache = await openCache({ namespace, loaders: [loader], recording: false });
    await cache.get(loader, 'a');
    await connect().set(`${entryKey(namespace, loader, 'b')}:lock`, 'another', 'PX', 10_000);
    const worker = startWorker(namespace, loader);
    const skips = recorded(worker, 'refresh:skipped');
    await enqueue(namespace, loader, ['a', 'b']);
    await expect.poll(() => skips.map(({ why }) => why).sort()).toEqual(['fresh', 'held']);
    expect(await cache.get(loader, 'c')).toBe('c 2');
    expect(calls).toHaveLength(2);
  });

  test('by a reader in the background does not wait, and goes unsaid', async () => {
    const server = await ownServer();
    const namespace = uniqueNamespace();
    const { loader, calls } = limited({ perMs: 60_000 });
    const options = { redis: server.url, namespace, loaders: [loader], recording: false };
    const cache = await openCache(options);
    const failures = recorded(cache, 'load:failed');
    const other = await openCache(options);
    await other.get(loader, 'a');
    const late = { createdAtMs: Date.now() - 59_900, expiresAtMs: Date.now() + 5_000 };
    const load = { meanMs: 10_000, deviationMs: 0 };
    const redis = connect(server.url);
    await redis.set(entryKey(namespace, loader, 'b'), entryBytes('late', { ...late, load }));
    expect(await cache.get(loader, 'b')).toBe('late');
    // One for the miss; two for a refresh, which looks for permits that misses wait for.
    await expect.poll(async () => (await commandCalls(redis)).lindex).toBe(3);
    const lock = `${entryKey(namespace, loader, 'b')}:lock`;
    await expect.poll(() => redis.exists(lock)).toBe(0);
    expect(calls).toHaveLength(1);
    expect(failures).toEqual([]);
  });
});
