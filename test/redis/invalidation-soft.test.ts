import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Cache, defineLoader } from '../../src/index.ts';
import { decodeEntry } from '../../src/redis/entry.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { nextEvent, openCache, ownServer, recorded } from '../helpers/cache.ts';
import {
  bytesOf,
  eachWithPlace,
  newer,
  place,
  redis as placeRedis,
  plant,
  store,
} from '../helpers/entry-place.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

eachWithPlace();

describe('marking an entry', () => {
  test('sets its flag once, keeps its value, its checksum and its life', async () => {
    await plant(bytesOf('value'));
    const leftMs = await placeRedis.pttl(place.entryKey);

    expect(await store.mark(place)).toBe(true);
    expect(await store.mark(place)).toBe(false);

    const marked = decodeEntry((await placeRedis.getBuffer(place.entryKey)) as Buffer);
    expect(marked?.header.invalidated).toBe(true);
    expect(await placeRedis.pttl(place.entryKey)).toBeGreaterThan(leftMs - 5_000);
  });

  test.each<[string, (redis: Redis, key: string) => Promise<unknown>, [boolean, number]]>([
    ['leaves no entry where there is none', async () => null, [false, 0]],
    ['leaves foreign text', (redis, key) => redis.set(key, 'theirs'), [false, 1]],
    ['leaves another type', (redis, key) => redis.lpush(key, 'theirs'), [false, 1]],
    ['leaves a header that was cut off', (redis, key) => redis.set(key, 'EW\x01\x00'), [false, 1]],
    [
      'removes a newer format, whose flags it does not know',
      (redis, key) => redis.set(key, newer()),
      [true, 0],
    ],
  ])('%s, and voids loads', async (_, put, [isMarked, exists]) => {
    await put(placeRedis, place.entryKey);
    await placeRedis.set(place.lockKey, 'token');

    expect(await new EntryStore(placeRedis).mark(place)).toBe(isMarked);
    expect(await placeRedis.exists(place.entryKey)).toBe(exists);
    expect(await placeRedis.exists(place.lockKey)).toBe(0);
  });
});

describe('looking at invalidated keys at once', () => {
  const NOW_MS = 1_790_000_000_000;
  const FAR_MS = NOW_MS + 300_000;
  let redis: Redis;
  let tracker: Tracker;
  let names: ReturnType<Keys['tracker']>;
  beforeEach(() => {
    redis = connect();
    const keys = new Keys(uniqueNamespace());
    const loader = { name: 'item', version: 1, ttlMs: 600_000, mostSkewMs: 1e15 };
    tracker = new Tracker(redis, keys, loader);
    names = keys.tracker(loader, tracker.halfLifeMs);
  });

  test.each([
    ['brings a due forward', FAR_MS, NOW_MS],
    ['gives one to a key with heat', null, NOW_MS],
    ['leaves one that is earlier', NOW_MS - 5, NOW_MS - 5],
    ['cuts a claim short, so that its settling does not count', FAR_MS + 0.5, NOW_MS + 500.5],
    ['leaves a claim that is as short', NOW_MS + 100.5, NOW_MS + 100.5],
    ['leaves a backoff', FAR_MS + 0.25, FAR_MS + 0.25],
  ])('%s', async (_, due, expected) => {
    await redis.zadd(names.heat, 1, 'a');
    if (due !== null) await redis.zadd(names.due, due, 'a');
    await tracker.lookNow(['a', 'untracked'], NOW_MS);

    expect(await redis.zrange(names.due, '0', '-1', 'WITHSCORES')).toEqual(['a', String(expected)]);
    if (expected !== due) expect(await redis.ttl(names.due)).toBeGreaterThan(0);
  });

  test('takes 5,000 keys', async () => {
    const keys = Array.from({ length: 5_000 }, (_, at) => `k${at}`);
    await redis.zadd(names.heat, ...keys.flatMap((key) => [1, key]));
    await tracker.lookNow(keys, NOW_MS);
    expect(await redis.zcount(names.due, NOW_MS, NOW_MS)).toBe(5_000);
  });
});

const hot = defineLoader({
  name: 'item',
  ttl: '10m',
  refresh: { threshold: 2 },
  tags: () => ['t'],
  load: async (id: string, { reason }) => `${id} by ${reason}`,
});

describe('a soft invalidation', () => {
  test.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['by key', (cache) => cache.invalidate(hot, 'hot', { soft: true })],
    ['by tag', (cache) => cache.invalidateTags('t', { soft: true })],
    ['by pattern', (cache) => cache.invalidatePattern(hot, 'h*', { soft: true })],
    ['by loader', (cache) => cache.invalidateLoader(hot, { soft: true })],
  ])(
    '%s has a hot key refreshed by a worker within a second or two, and no cold one',
    async (_, invalidate) => {
      const namespace = uniqueNamespace();
      const roles = { redis: redisUrl(), namespace, loaders: [hot] };
      const cache = await openCache({ namespace, loaders: [hot], flushInterval: 100 });
      const { worker } = await startRefreshers(roles);
      const loads = recorded(cache, 'load:completed');
      await cache.get(hot, 'cold');
      for (let read = 0; read < 20; read++) await cache.get(hot, 'hot');
      const keys = new Keys(namespace);
      const { heat, due } = keys.tracker(hot, 4 * hot.ttlMs);
      const redis = connect();
      await expect.poll(() => redis.zcard(heat)).toBe(2);
      // The reads may come in two batches: it is due from its second read on.
      await expect.poll(() => redis.zscore(due, 'hot')).not.toBeNull();

      const refreshed = nextEvent(worker, 'refresh:completed');
      await invalidate(cache);

      expect(await refreshed).toMatchObject({ key: 'hot' });
      expect(await cache.getWithMeta(hot, 'hot')).toMatchObject({
        value: 'hot by refresh',
        source: 'redis',
      });
      expect(loads).toHaveLength(2); // No reader waited for the origin.
      expect((await cache.getWithMeta(hot, 'cold')).value).toBe('cold by miss');
    },
  );
});

test('waits no longer than a write may take for a queue server that hangs', async () => {
  const [server, queue] = [await ownServer(), await ownServer()];
  const loader = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
  const cache = await openCache({
    redis: { cache: server.url, queue: queue.url },
    loaders: [loader],
  });
  await cache.get(loader, 'a');
  const failed = recorded(cache, 'redis:failed');
  await connect(queue.url).call('CLIENT', 'PAUSE', '6000', 'ALL');

  const startedAtMs = performance.now();
  expect(await cache.invalidate(loader, 'a', { soft: true })).toBe(true);

  expect(performance.now() - startedAtMs).toBeLessThan(3_000);
  expect(failed).toMatchObject([{ role: 'queue' }]);
});
