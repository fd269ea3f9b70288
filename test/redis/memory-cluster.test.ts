import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cache } from '../../src/index.ts';
import { openCache } from '../helpers/cache.ts';
import { TestCluster, type TestNode } from '../helpers/cluster.ts';
import { held, heldItem } from '../helpers/memory.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

const CACHES = 6;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster?.close());

async function listenersAt({ redis }: TestNode): Promise<number> {
  const lines = String(await redis.client('LIST')).split('\n');
  return lines.filter((line) => line.includes(' name=everwarm:cache:bus ')).length;
}

async function listeners(): Promise<number> {
  const counts = await Promise.all(cluster.living().map(listenersAt));
  return counts.reduce((sum, count) => sum + count, 0);
}

test('every process hears of an invalidation at whatever node it listens, and goes to another when that dies', {
  timeout: 60_000,
}, async () => {
  const namespace = uniqueNamespace();
  const { origin, loader } = heldItem();
  const caches: Cache[] = [];
  for (let at = 0; at < CACHES; at++) {
    caches.push(await openCache({ redis: cluster.target, namespace, loaders: [loader] }));
  }
  await expect.poll(listeners).toBe(CACHES);
  const keys = Array.from({ length: 10 }, (_, at) => `k${at}`);
  const allRead = async (value: string): Promise<void> => {
    for (const cache of caches) {
      const read = (): Promise<string[]> => cache.getMany(loader, keys);
      await expect.poll(read, { timeout: 20_000 }).toEqual(keys.map(() => value));
    }
  };
  for (const cache of caches) for (const key of keys) await held(cache, loader, key);

  // Whoever says it, all hear it: each says it of other keys.
  origin.value = 'new';
  for (const [at, key] of keys.entries()) await caches[at % CACHES]?.invalidate(loader, key);
  await allRead('new');
  for (const cache of caches) for (const key of keys) await held(cache, loader, key);

  const counts = await Promise.all(cluster.nodes.map(listenersAt));
  const busiest = cluster.nodes[counts.indexOf(Math.max(...counts))];
  await busiest?.kill();
  await expect.poll(listeners, { timeout: 20_000 }).toBe(CACHES);
  await cluster.ok();
  for (const cache of caches) for (const key of keys) await held(cache, loader, key);

  origin.value = 'newest';
  for (const [at, key] of keys.entries()) await caches[at % CACHES]?.invalidate(loader, key);
  await allRead('newest');
});

async function aReplica(): Promise<TestNode> {
  for (const node of cluster.living()) if ((await node.info('role')) === 'slave') return node;
  throw new Error('no replica is alive');
}

test('a process leaves a node that is no longer of the cluster, and would hear nothing', {
  timeout: 60_000,
}, async () => {
  const { origin, loader } = heldItem();
  const namespace = uniqueNamespace();
  const left = await aReplica();
  const open = (): Promise<Cache> =>
    openCache({ redis: cluster.target, namespace, loaders: [loader] });
  // Each listens to any node: so many of them, until one does to that.
  const caches: Cache[] = [];
  while ((await listenersAt(left)) === 0 && caches.length < 100) {
    caches.push(await open());
    await expect.poll(listeners, { timeout: 10_000 }).toBe(caches.length);
  }
  expect(await listenersAt(left)).toBe(1);

  const id = await left.id();
  const others = cluster.living().filter((node) => node !== left);
  await Promise.all(others.map(({ redis }) => redis.cluster('FORGET', id)));
  await left.redis.cluster('RESET', 'HARD');

  await expect.poll(() => listenersAt(left), { timeout: 30_000 }).toBe(0);
  await expect.poll(listeners, { timeout: 10_000 }).toBe(caches.length);
  for (const cache of caches) await held(cache, loader, 'a');
  origin.value = 'new';
  await caches[0]?.invalidate(loader, 'a');
  for (const cache of caches) await expect.poll(() => cache.get(loader, 'a')).toBe('new');
});
