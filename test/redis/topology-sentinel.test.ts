import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { openDataConnection, untilReady } from '../../src/redis/connection.ts';
import { openCache, ownServer, recorded } from '../helpers/cache.ts';
import { readingAll } from '../helpers/reading.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { TestSentinels } from '../helpers/sentinel.ts';

let sentinels: TestSentinels;
beforeAll(async () => {
  sentinels = await TestSentinels.start();
}, 60_000);
afterAll(() => sentinels?.close());

const IDS = Array.from({ length: 30 }, (_, at) => `id-${at}`);
const item = defineLoader({ name: 'item', ttl: 2_000, load: async (id: string) => `${id}!` });

it('answers every read during a failover, and refreshes all keys within 10 s of it', {
  timeout: 60_000,
}, async () => {
  const options = {
    redis: sentinels.target,
    namespace: uniqueNamespace(),
    loaders: [item],
    grace: 1_000,
  };
  const cache = await openCache(options);
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await scheduler.close();
    await worker.close();
  });
  await Promise.all([worker.ready(), scheduler.ready()]);
  const landed = recorded(worker, 'refresh:completed');
  const landedKeys = (from: number): number =>
    new Set(landed.slice(from).map(({ key }) => key)).size;
  const reading = readingAll(IDS, {
    get: (id) => cache.get(item, id),
    getMany: (ids) => cache.getMany(item, ids),
    valueOf: (id) => `${id}!`,
  });
  await expect.poll(() => landedKeys(0), { timeout: 15_000 }).toBe(IDS.length);

  await sentinels.failOver();
  const before = landed.length;
  await expect.poll(() => landedKeys(before), { timeout: 10_000 }).toBe(IDS.length);

  const { reads, errors, slowestMs } = await reading.stop();
  expect(errors).toEqual([]);
  expect(reads).toBeGreaterThan(100);
  expect(slowestMs).toBeLessThan(5_000);
});

it('leaves a master that has become a replica, and looks for the new one', async () => {
  const next = await ownServer();
  const old = await ownServer();
  const use = { role: 'cache', name: 'test', events: new Events() } as const;
  const client = openDataConnection(old.url, use);
  onTestFinished(() => client.disconnect());
  await untilReady(client, old.url, 5_000);
  await connect(old.url).replicaof('127.0.0.1', next.port);

  const again = new Promise((ready) => client.once('ready', ready));
  await expect(client.set('a', '1')).rejects.toThrow('READONLY');
  await again;
});

it('keeps its connections and goes on refreshing when all sentinels are gone', {
  timeout: 30_000,
}, async () => {
  const options = { redis: sentinels.target, namespace: uniqueNamespace(), loaders: [item] };
  const cache = await openCache(options);
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close()]);
  });
  await Promise.all([worker.ready(), scheduler.ready()]);
  const landed = recorded(worker, 'refresh:completed');
  const reading = readingAll(IDS, {
    get: (id) => cache.get(item, id),
    getMany: (ids) => cache.getMany(item, ids),
    valueOf: (id) => `${id}!`,
  });
  const landedKeys = (from: number): number =>
    new Set(landed.slice(from).map(({ key }) => key)).size;
  await expect.poll(() => landedKeys(0), { timeout: 10_000 }).toBe(IDS.length);
  const failures = [cache, worker, scheduler].map((role) => recorded(role, 'redis:failed'));

  await sentinels.abandon();
  const before = landed.length;
  await expect.poll(() => landedKeys(before), { timeout: 10_000 }).toBe(IDS.length);
  expect(await cache.getWithMeta(item, 'id-1')).toMatchObject({ state: 'fresh' });

  expect(await reading.stop()).toMatchObject({ errors: [] });
  expect(failures.flat()).toEqual([]);
});
