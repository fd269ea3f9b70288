import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { openCache, recorded } from '../helpers/cache.ts';
import { TestCluster } from '../helpers/cluster.ts';
import { readingAll } from '../helpers/reading.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster?.close());

const IDS = Array.from({ length: 30 }, (_, at) => `id-${at}`);
const ttlMs = 2_000;
const item = defineLoader({ name: 'item', ttl: ttlMs, load: async (id: string) => `${id}!` });

// One cluster for all: each takes a master away, and 3 of 5 are still a majority.
it.for([
  ['of the queue', (namespace: string) => `{${namespace}:item}`],
  ['of the tracker', () => '{item:t0of1}'],
] as const)(
  'answers every read while the master %s dies, and refreshes all keys within 10 s of its replacement',
  {
    timeout: 60_000,
  },
  async ([, keyOf]) => {
    const namespace = uniqueNamespace();
    const options = { redis: cluster.target, namespace, loaders: [item] };
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

    const victim = await cluster.ownerOf(keyOf(namespace));
    await victim.kill();
    await cluster.failed();
    await cluster.ok();
    const before = landed.length;
    await expect.poll(() => landedKeys(before), { timeout: 10_000 }).toBe(IDS.length);

    const { reads, errors, slowestMs } = await reading.stop();
    expect(errors).toEqual([]);
    expect(reads).toBeGreaterThan(100);
    expect(slowestMs).toBeLessThan(5_000);
  },
);
