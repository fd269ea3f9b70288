import { expect, it } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { CacheWatch } from '../../src/schedule/cache-watch.ts';
import { nextEvent, openCache, ownServer } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

const item = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => `${id}!` });

it('wakes the hottest keys first, but none that is claimed or backing off', async () => {
  const redis = connect();
  const keys = new Keys(uniqueNamespace());
  const tracker = new Tracker(redis, keys, { ...item, mostSkewMs: 1e15 });
  const { due } = keys.tracker(item, tracker.halfLifeMs);
  const nowMs = 1_750_000_000_000;
  const expiresAtMs = nowMs + 3_600_000;
  const records = ['a', 'b', 'c', 'd', 'e'].map((key, at) => ({
    key,
    reads: 10 - at,
    expiresAtMs,
  }));
  await tracker.record(records, { nowMs, lookAheadMs: 1_000 });
  await redis.zadd(due, `${nowMs + 5_000}.5`, 'a', `${nowMs + 5_000}.25`, 'c');

  await tracker.wakeHottest(nowMs, 4);

  expect(await redis.zrange(due, 0, '-1')).toEqual(['b', 'd', 'c', 'a', 'e']);
  const claimed = await tracker.claim({ nowMs, claimTtlMs: 1_000, limit: 10 });
  expect(claimed.keys.map(({ key }) => key)).toEqual(['b', 'd']);
});

it('tells a wipe to one scheduler alone, and an eviction to each', async () => {
  const server = await ownServer('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru');
  const redis = connect(server.url);
  const keys = new Keys('watched');
  const watches = [new CacheWatch(redis, keys), new CacheWatch(connect(server.url), keys)];
  const look = async (): Promise<unknown[]> => Promise.all(watches.map((watch) => watch.look()));
  const wiped = (healths: unknown[]): number =>
    healths.filter((health) => (health as { wasWiped: boolean }).wasWiped).length;

  expect(wiped(await look())).toBe(1);
  expect(wiped(await look())).toBe(0);
  await redis.flushall();
  expect(wiped(await look())).toBe(1);

  for (let n = 0; n < 60; n++) await redis.set(`filler:${n}`, Buffer.alloc(64_000));
  expect(await look()).toMatchObject([{ isEvicting: true }, { isEvicting: true }]);
  expect(await look()).toMatchObject([{ isEvicting: false }, { isEvicting: false }]);
});

it('loads hot keys again after a wipe of the cache, without a reader and long before they are due', async () => {
  const cacheServer = await ownServer();
  const options = {
    redis: { cache: cacheServer.url, queue: redisUrl() },
    namespace: uniqueNamespace(),
    loaders: [item],
  };
  const cache = await openCache(options);
  for (let read = 0; read < 30; read++) await cache.get(item, 'hot');
  await cache.close(); // sends what was counted
  const { worker } = await startRefreshers(options);
  const redis = connect(cacheServer.url);
  await expect.poll(() => redis.exists(`${options.namespace}:canary`)).toBe(1);

  const refreshed = nextEvent(worker, 'refresh:completed');
  await redis.flushall();

  expect(await refreshed).toMatchObject({ loader: 'item', key: 'hot' });
  expect(await redis.exists(`${options.namespace}:{item@1:hot}`)).toBe(1);
});
