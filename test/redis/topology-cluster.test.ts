import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { hashSlot } from '../../src/redis/hash-slot.ts';
import { openCache, recorded } from '../helpers/cache.ts';
import { TestCluster } from '../helpers/cluster.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster?.close());

const item = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => `${id}!` });
const IDS = Array.from({ length: 60 }, (_, at) => `id-${at}`);

it('finds the slots that Redis finds', async () => {
  const keys = ['a', 'everwarm:{item@1:a}:lock', '{}b', 'x{ä€😀}y', '{a', 'a}b{c}'];
  const [node] = cluster.nodes;
  for (const key of keys) expect(hashSlot(key)).toBe(await node?.redis.cluster('KEYSLOT', key));
});

it('reads one key and many across all slots, and loads each once', async () => {
  const namespace = uniqueNamespace();
  const options = { redis: cluster.target, namespace, loaders: [item] };
  const cache = await openCache(options);
  const loads = recorded(cache, 'load:completed');
  const failures = recorded(cache, 'redis:failed');

  expect(await cache.getMany(item, IDS)).toEqual(IDS.map((id) => `${id}!`));
  const other = await openCache(options);
  expect(await other.getMany(item, IDS)).toEqual(IDS.map((id) => `${id}!`));
  expect(await other.getWithMeta(item, 'id-1')).toMatchObject({ source: 'redis', value: 'id-1!' });
  expect(loads.map(({ key }) => key).sort()).toEqual([...IDS].sort());
  expect(failures).toEqual([]);
  const sizes = await Promise.all(cluster.masters.map(({ redis }) => redis.dbsize()));
  for (const size of sizes) expect(size).toBeGreaterThan(0);
});

describe('a cluster under scheduler and worker', () => {
  it('has its keys refreshed in all slots', async () => {
    const quick = defineLoader({ name: 'quick', ttl: 2_000, load: async (id: string) => `${id}!` });
    const options = {
      redis: cluster.target,
      namespace: uniqueNamespace(),
      loaders: [quick],
      strict: true,
    };
    const cache = await openCache(options);
    const worker = createWorker(options);
    const scheduler = createScheduler(options);
    onTestFinished(async () => {
      await scheduler.close();
      await worker.close();
    });
    await Promise.all([worker.ready(), scheduler.ready()]);
    const refreshed = recorded(worker, 'refresh:completed');
    const failures = [cache, worker, scheduler].map((role) => recorded(role, 'redis:failed'));
    const reads = setInterval(() => void cache.getMany(quick, IDS), 50);
    onTestFinished(() => clearInterval(reads));

    await expect
      .poll(() => new Set(refreshed.map(({ key }) => key)).size, { timeout: 10_000 })
      .toBe(IDS.length);
    expect(failures.flat()).toEqual([]);
  });
});
