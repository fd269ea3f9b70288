import { expect, onTestFinished, test } from 'vitest';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { openRefreshing } from '../helpers/refreshing.ts';

const TTL_MS = 3_600_000;
const item = defineLoader({ name: 'item', ttl: TTL_MS, load: async (id: string) => `${id}!` });

test('a paused loader keeps its dues, and is refreshed again after resuming, the hottest first', async () => {
  const options = { redis: redisUrl(), namespace: uniqueNamespace(), loaders: [item] };
  const cache = await openCache(options);
  expect(await cache.pauseRefresh(item)).toBe(true);
  expect(await cache.pauseRefresh(item)).toBe(false);
  const scheduler = createScheduler(options);
  onTestFinished(() => scheduler.close());
  const redis = connect();
  const { due } = new Keys(options.namespace).tracker(item, 4 * TTL_MS);
  const reads = { warm: 20, hottest: 60, hot: 40 };
  for (const [key, times] of Object.entries(reads)) {
    for (let read = 0; read < times; read++) await cache.get(item, key);
    await cache.invalidate(item, key, { soft: true });
  }
  await cache.explain(item, 'hot'); // sends what was counted
  for (const [at, key] of ['warm', 'hot', 'hottest'].entries()) {
    await redis.zadd(due, Date.now() - 60_000 + at, key);
  }
  const ticks = recorded(scheduler, 'tick:completed');
  await expect
    .poll(async () => (await cache.explain(item, 'hot')).seen.schedulerAtMs, { timeout: 5_000 })
    .not.toBeNull();

  expect(await cache.explain(item, 'hot')).toMatchObject({
    verdict: 'paused',
    refreshAtMs: null,
    summary: expect.stringMatching(
      /^is not refreshed: refreshing of its loader was paused .* ago, else it would be refreshed at the next tick \(/,
    ),
  });
  expect(ticks).toEqual([]);
  expect(await redis.zrange(due, 0, '-1')).toEqual(['warm', 'hot', 'hottest']);

  const worker = createWorker({ ...options, concurrency: 1 });
  onTestFinished(() => worker.close());
  const refreshed = recorded(worker, 'refresh:completed');
  await scheduler.close(); // so that the order stays to be seen
  expect(await cache.resumeRefresh(item)).toBe(true);
  expect(await cache.resumeRefresh(item)).toBe(false);
  expect(await redis.zrange(due, 0, '-1')).toEqual(['hottest', 'hot', 'warm']);
  const again = createScheduler(options);
  onTestFinished(() => again.close());
  await expect.poll(() => refreshed.length, { timeout: 10_000 }).toBe(3);
});

test('a pause reaches a scheduler that runs, and outlives every counter', async () => {
  const options = { redis: redisUrl(), namespace: uniqueNamespace(), loaders: [item] };
  const cache = await openCache(options);
  const scheduler = createScheduler(options);
  onTestFinished(() => scheduler.close());
  await nextEvent(scheduler, 'tick:completed');
  await cache.pauseRefresh(item);
  const ticks = recorded(scheduler, 'tick:completed');
  const redis = connect();
  const { heat, due } = new Keys(options.namespace).tracker(item, 4 * TTL_MS);

  // Once its last look at the pause is a second old it takes nothing any more.
  await expect
    .poll(
      async () => {
        ticks.length = 0;
        await new Promise((resolve) => setTimeout(resolve, 1_100)); // longer than its longest pause
        return ticks.length;
      },
      { timeout: 10_000 },
    )
    .toBe(0);
  await redis.zadd(heat, Date.now() / (4 * TTL_MS) + 5, 'a');
  await redis.zadd(due, 1, 'a');
  expect(await redis.pttl(new Keys(options.namespace).pause(item))).toBe(-1);
  const claimed = nextEvent(scheduler, 'tick:completed', (tick) => tick.claimed === 1);
  await cache.resumeRefresh(item);
  await claimed;
});

test('a worker leaves alone what was enqueued before the pause', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ namespace, loaders: [item] });
  await cache.pauseRefresh(item);
  const { worker, refresh } = await openRefreshing(namespace, item);
  const skipped = nextEvent(worker, 'refresh:skipped');
  const completed = recorded(worker, 'refresh:completed');
  await refresh('a', 0);
  expect(await skipped).toEqual({ loader: 'item', key: 'a', why: 'paused' });

  await cache.resumeRefresh(item);
  const done = nextEvent(worker, 'refresh:completed');
  await refresh('a', 0);
  await done;
  expect(completed).toHaveLength(1);
});
