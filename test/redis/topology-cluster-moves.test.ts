import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createScheduler, createWorker, defineLoader, type EventMap } from '../../src/index.ts';
import { hashSlot } from '../../src/redis/hash-slot.ts';
import { entryKey, openCache, recorded } from '../helpers/cache.ts';
import { TestCluster, type TestNode } from '../helpers/cluster.ts';
import { type Reading, readingAll } from '../helpers/reading.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster?.close());

const IDS = Array.from({ length: 30 }, (_, at) => `id-${at}`);
const item = defineLoader({ name: 'item', ttl: 2_000, load: async (id: string) => `${id}!` });

interface Deploy {
  readonly namespace: string;
  readonly failures: readonly EventMap['redis:failed'][];
  /** Resolves when each key has been refreshed once more. */
  refreshed(): Promise<void>;
  stop(): Promise<Reading>;
}

/** All three roles, every key read and refreshed. */
async function deploy(): Promise<Deploy> {
  const namespace = uniqueNamespace();
  const options = { redis: cluster.target, namespace, loaders: [item] };
  const cache = await openCache(options);
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close()]);
  });
  await Promise.all([worker.ready(), scheduler.ready()]);
  const failures: EventMap['redis:failed'][] = [];
  for (const role of [cache, worker, scheduler]) {
    role.on('redis:failed', (failure) => void failures.push(failure));
  }
  const landed = recorded(worker, 'refresh:completed');
  const refreshed = async (): Promise<void> => {
    const before = landed.length;
    const keys = (): number => new Set(landed.slice(before).map(({ key }) => key)).size;
    await expect.poll(keys, { timeout: 10_000 }).toBe(IDS.length);
  };
  const reading = readingAll(IDS, {
    get: (id) => cache.get(item, id),
    getMany: (ids) => cache.getMany(item, ids),
    valueOf: (id) => `${id}!`,
  });
  await refreshed();
  return { namespace, failures, refreshed, stop: () => reading.stop() };
}

function crossSlot({ failures }: Deploy): readonly EventMap['redis:failed'][] {
  return failures.filter(({ error }) => String(error).includes('CROSSSLOT'));
}

/** Moves a slot with its keys while it is in use, as `redis-cli --cluster reshard` does. */
async function moveSlot(slot: number, from: TestNode, to: TestNode): Promise<void> {
  const [fromId, toId] = await Promise.all([from.id(), to.id()]);
  await to.redis.cluster('SETSLOT', slot, 'IMPORTING', fromId);
  await from.redis.cluster('SETSLOT', slot, 'MIGRATING', toId);
  for (;;) {
    const keys = (await from.redis.cluster('GETKEYSINSLOT', slot, 10)) as string[];
    if (keys.length === 0) break;
    await from.redis.call(
      'MIGRATE',
      '127.0.0.1',
      to.port,
      '',
      0,
      5_000,
      'REPLACE',
      'KEYS',
      ...keys,
    );
  }
  for (const { redis } of [to, from]) await redis.cluster('SETSLOT', slot, 'NODE', toId);
}

it('answers every read and goes on refreshing while slots of entries, tracker and queue move', {
  timeout: 60_000,
}, async () => {
  const all = await deploy();
  const { namespace } = all;
  const keys = IDS.map((id) => entryKey(namespace, item, id));
  keys.push(`{item:t0of1}`, `${namespace}:{item:t0of1}:due`, `{${namespace}:item}`);

  for (const key of new Set(keys)) {
    const from = await cluster.ownerOf(key);
    const to = cluster.masters.find((node) => node !== from) as TestNode;
    await moveSlot(hashSlot(key), from, to);
  }
  await all.refreshed();

  expect(await all.stop()).toMatchObject({ errors: [] });
  expect(crossSlot(all)).toEqual([]);
});

it('answers every read while replicas take over from their masters by hand, and refreshes all keys within 10 s', {
  timeout: 60_000,
}, async () => {
  const all = await deploy();

  for (const replica of cluster.replicas) {
    await replica.redis.cluster('FAILOVER');
    await expect.poll(() => replica.info('role'), { timeout: 10_000 }).toBe('master');
  }
  await cluster.ok();
  await all.refreshed();

  const { errors, slowestMs } = await all.stop();
  expect(errors).toEqual([]);
  expect(slowestMs).toBeLessThan(5_000);
  expect(crossSlot(all)).toEqual([]);
});
