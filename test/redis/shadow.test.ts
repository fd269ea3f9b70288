import { expect, onTestFinished, test } from 'vitest';
import { createScheduler, defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 3_600_000;

test.each([
  ['of its loader', { mode: 'shadow' as const }, {}],
  ['of its scheduler', {}, { mode: 'shadow' as const }],
])(
  'shadow mode %s reports what it would refresh, once a life, and enqueues nothing',
  async (_, refresh, role) => {
    const loader = defineLoader({
      name: 'item',
      ttl: TTL_MS,
      load: async (_id: string) => 1,
      refresh,
    });
    const options = { redis: redisUrl(), namespace: uniqueNamespace(), loaders: [loader] };
    const cache = await openCache(options);
    for (let read = 0; read < 30; read++) await cache.get(loader, 'hot');
    await cache.invalidate(loader, 'hot', { soft: true });
    for (let read = 0; read < 30; read++) await cache.get(loader, 'gone');
    await cache.explain(loader, 'gone'); // sends what was counted
    const redis = connect();
    const keys = new Keys(options.namespace);
    const { due } = keys.tracker(loader, 4 * TTL_MS);
    await redis.del(keys.entry(loader, 'gone'));
    await redis.zadd(due, Date.now(), 'gone');
    const scheduler = createScheduler({ ...options, ...role });
    onTestFinished(() => scheduler.close());
    const planned = recorded(scheduler, 'refresh:planned');
    const ticks = recorded(scheduler, 'tick:completed');

    await expect.poll(() => planned.length, { timeout: 10_000 }).toBe(2);
    expect(planned).toContainEqual(
      expect.objectContaining({ loader: 'item', key: 'hot', why: 'invalidated' }),
    );
    expect(planned).toContainEqual(
      expect.objectContaining({ key: 'gone', why: 'missing', expiresAtMs: 0 }),
    );
    expect(planned.every(({ valueReads }) => valueReads > 0)).toBe(true);
    const sums = (): number[] => [
      ticks.reduce((sum, tick) => sum + tick.shadowed, 0),
      ticks.reduce((sum, tick) => sum + tick.enqueued, 0),
      ticks.reduce((sum, tick) => sum + tick.waiting, 0),
    ];
    await nextEvent(scheduler, 'tick:completed');
    expect(sums()).toEqual([2, 0, 0]);
    // Not before the life that it would have refreshed is over.
    const dues = await redis.zmscore(due, 'hot', 'gone');
    for (const at of dues) expect(Number(at)).toBeGreaterThan(Date.now() + 0.05 * TTL_MS);
    expect(Number(dues[0])).toBeGreaterThan(Date.now() + TTL_MS - 60_000);
    expect(await redis.exists(`{${options.namespace}:item}:item:prioritized`)).toBe(0);
    const { mode, verdict, summary } = await cache.explain(loader, 'hot');
    expect([mode, verdict]).toEqual(['shadow', 'shadow']);
    expect(summary).toContain('its loader is in shadow mode, else it would be refreshed');
  },
);
