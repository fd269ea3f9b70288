import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { gate, openCache } from '../helpers/cache.ts';
import { TestCluster } from '../helpers/cluster.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster.close());

const keys = Array.from({ length: 600 }, (_, at) => `k${at}`);

describe('on a cluster', () => {
  test.each([false, true])(
    'every kind reaches the keys of every master (soft: %s)',
    async (soft) => {
      const item = defineLoader({
        name: 'item',
        ttl: '10m',
        tags: () => ['t'],
        load: async (id: string) => id,
        loadMany: async (ids) => ids,
      });
      const cache = await openCache({
        redis: cluster.target,
        namespace: uniqueNamespace(),
        loaders: [item],
      });
      const kinds = [
        () => cache.invalidateMany(item, keys, { soft, durable: true }),
        () => cache.invalidateTags('t', { soft }),
        () => cache.invalidatePattern(item, 'k*', { soft }),
        () => cache.invalidateLoader(item, { soft, durable: true }),
        () => cache.invalidateNamespace({ confirm: true, soft }),
      ];
      for (const invalidate of kinds) {
        await cache.setMany(
          item,
          keys.map((key) => [key, key]),
        );
        expect(await invalidate()).toBe(600);
      }
    },
    60_000,
  );

  test('loads in flight on every master are voided by a scan', async () => {
    const opened = gate();
    const started = new Set<string>();
    let isOld = true;
    const item = defineLoader({
      name: 'item',
      ttl: '10m',
      load: async (id: string) => {
        const value = isOld ? 'old' : 'new';
        started.add(id);
        if (value === 'old') await opened.opened;
        return value;
      },
    });
    const cache = await openCache({
      redis: cluster.target,
      namespace: uniqueNamespace(),
      loaders: [item],
    });
    const some = keys.slice(0, 100);
    const reads = some.map((key) => cache.get(item, key));
    await expect.poll(() => started.size).toBe(100);
    isOld = false;
    await cache.invalidateLoader(item);
    opened.open();
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['new']));
    expect(new Set(await cache.getMany(item, some))).toEqual(new Set(['new']));
  });
});
