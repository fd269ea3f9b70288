import { expect, onTestFinished, test } from 'vitest';
import { createWorker, type RefreshWorkers } from '../../src/index.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { budgeted } from '../helpers/budgeted-loader.ts';
import { openCache, ownServer, recorded } from '../helpers/cache.ts';
import { startWorker } from '../helpers/origin-worker.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

const keysTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `key${n}`);

test('a pause that one worker was asked for is kept by another: it postpones its keys, and nothing fails', async () => {
  const namespace = uniqueNamespace();
  let isBusy = true;
  const { loader, calls } = budgeted({
    origin: {},
    call: () => {
      if (isBusy) throw Object.assign(new Error('429'), { retryAfterMs: 60_000 });
    },
  });
  const first = startWorker(namespace, loader);
  await first.refresh(['asked']);
  await expect.poll(() => first.failures.map(({ key }) => key)).toEqual(['asked']);
  isBusy = false;
  await first.close();

  const second = startWorker(namespace, loader);
  await second.refresh(keysTo(5));

  await expect.poll(() => second.skips.map(({ why }) => why)).toEqual(Array(5).fill('limited'));
  expect(calls).toHaveLength(1);
  expect(second.failures).toEqual([]);
  const { due } = new Keys(namespace).tracker(loader, second.tracker.halfLifeMs);
  const dues = async (): Promise<number[]> =>
    (await connect().zmscore(due, ...keysTo(5))).map(Number);
  await expect.poll(async () => Math.min(...(await dues()))).toBeGreaterThan(Date.now() + 30_000);
});

test('keys that two workers postpone for a pause are refreshed after it, and none before', async () => {
  const namespace = uniqueNamespace();
  const PAUSE_MS = 1_000;
  let pausedAtMs = 0;
  const { loader, calls } = budgeted({
    origin: { concurrency: 1 },
    call: () => {
      if (pausedAtMs > 0) return;
      pausedAtMs = performance.now();
      throw Object.assign(new Error('429'), { retryAfterMs: PAUSE_MS });
    },
  });
  const roles = { redis: redisUrl(), namespace, loaders: [loader] };
  const { worker } = await startRefreshers(roles);
  const other = createWorker(roles);
  onTestFinished(() => other.close());
  await other.ready();
  const workers: RefreshWorkers[] = [worker, other];
  const skips = workers.map((one) => recorded(one, 'refresh:skipped'));
  const landed = workers.map((one) => recorded(one, 'refresh:completed'));
  const failures = workers.map((one) => recorded(one, 'refresh:failed'));

  const tracker = new Tracker(connect(), new Keys(namespace), loader);
  const nowMs = Date.now();
  const records = keysTo(40).map((key) => ({ key, reads: 50, expiresAtMs: nowMs }));
  await tracker.record(records, { nowMs, lookAheadMs: 0 });

  const refreshed = (): number => new Set(landed.flat().map(({ key }) => key)).size;
  await expect.poll(refreshed, { timeout: 12_000 }).toBe(40);
  expect(failures.flat()).toHaveLength(1);
  expect(skips.flat().length).toBeGreaterThan(0);
  const [, ...later] = calls;
  for (const { atMs } of later) expect(atMs - pausedAtMs).toBeGreaterThan(PAUSE_MS - 50);
});

test('a wiped cache is healed within its origin’s concurrency', async () => {
  const [cacheServer, queueServer] = await Promise.all([ownServer(), ownServer()]);
  const redis = { cache: cacheServer.url, queue: queueServer.url };
  const { loader, calls, atATime } = budgeted({
    origin: { concurrency: 2 },
    // So long that places would overlap if there were more.
    call: () => new Promise((resolve) => setTimeout(resolve, 10)),
  });
  const namespace = uniqueNamespace();
  const options = { redis, namespace, loaders: [loader] };
  const cache = await openCache({ ...options, recording: false });
  await cache.getMany(loader, keysTo(60));
  const keys = new Keys(namespace);
  const tracker = new Tracker(connect(queueServer.url), keys, loader);
  const nowMs = Date.now();
  const expiresAtMs = nowMs + loader.ttlMs;
  const records = keysTo(60).map((key) => ({ key, reads: 50, expiresAtMs }));
  await tracker.record(records, { nowMs, lookAheadMs: loader.ttlMs / 2 });
  const { worker } = await startRefreshers(options);
  const other = createWorker(options);
  onTestFinished(() => other.close());
  await other.ready();
  const failures = [worker, other].map((one) => recorded(one, 'refresh:failed'));
  const wiped = connect(cacheServer.url);
  await expect.poll(() => wiped.exists(keys.canary())).toBe(1);
  const before = calls.length;
  atATime.most = 0;

  await wiped.flushall();

  const store = new EntryStore(wiped);
  const there = async (): Promise<number> => {
    const headers = await store.headers(keysTo(60).map((key) => keys.entry(loader, key)));
    return headers.filter(Boolean).length;
  };
  await expect.poll(there, { timeout: 12_000 }).toBe(60);
  expect(atATime.most).toBeLessThanOrEqual(2);
  expect(calls.length - before).toBe(60);
  expect(failures.flat()).toEqual([]);
});
