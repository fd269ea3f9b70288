import { expect, it, onTestFinished } from 'vitest';
import { createCache, defineLoader } from '../../src/index.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

it('answers from the loader, then from Redis', async () => {
  let loads = 0;
  const item = defineLoader({
    name: 'item',
    ttl: '5s',
    load: async (id: string) => ({ id, n: ++loads }),
  });
  const cache = createCache({ redis: redisUrl(), namespace: uniqueNamespace(), loaders: [item] });
  onTestFinished(() => cache.close());
  expect(await cache.getWithMeta(item, 'a')).toMatchObject({
    value: { id: 'a', n: 1 },
    source: 'loader',
    state: 'fresh',
  });
  expect(await cache.getWithMeta(item, 'a')).toMatchObject({
    value: { id: 'a', n: 1 },
    source: 'redis',
    state: 'fresh',
  });
  await cache.invalidate(item, 'a');
  expect(await cache.get(item, 'a')).toEqual({ id: 'a', n: 2 });
  await cache.set(item, 'a', { id: 'a', n: 9 });
  expect(await cache.getMany(item, ['a', 'b', 'a'])).toEqual([
    { id: 'a', n: 9 },
    { id: 'b', n: 3 },
    { id: 'a', n: 9 },
  ]);
});
