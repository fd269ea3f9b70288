import { expect, test } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { openCache, ownServer, recorded } from '../helpers/cache.ts';
import { redisUrl } from '../helpers/redis.ts';
import { openProxy } from '../helpers/tcp-proxy.ts';

test('reads that a slow tracker has no room for are dropped and counted, and wait for nothing', async () => {
  const line = await openProxy(await ownServer());
  let loads = 0;
  const item = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (id: string) => id,
    loadMany: async (ids) => {
      loads += ids.length;
      return ids;
    },
  });
  const cache = await openCache({
    redis: { cache: redisUrl(), queue: line.url },
    loaders: [item],
    readTimeout: '5s', // on a busy machine, too
    flushInterval: 100,
    maxPendingKeys: 500,
  });
  const dropped = recorded(cache, 'reads:dropped');
  const failed = recorded(cache, 'load:failed');
  const ids = Array.from({ length: 2_000 }, (_, at) => `id-${at}`);
  line.set({ kind: 'delay', ms: 200 }, 'all');

  expect(await cache.getMany(item, ids)).toEqual(ids);
  const slowestMs: number[] = [];
  for (const id of ids.slice(0, 200)) {
    const askedAtMs = performance.now();
    expect((await cache.getWithMeta(item, id)).source).toBe('redis');
    slowestMs.push(performance.now() - askedAtMs);
  }

  // Most reads did not wait for the tracker, whatever else held a few up.
  slowestMs.sort((a, b) => a - b);
  expect(slowestMs[150]).toBeLessThan(200);
  expect(loads).toBe(ids.length);
  expect(failed).toEqual([]);
  await expect.poll(() => dropped.length, { timeout: 5_000 }).toBeGreaterThan(0);
  const lost = dropped.reduce((sum, { keys }) => sum + keys, 0);
  expect(lost).toBeGreaterThan(ids.length - 1_000);
});
