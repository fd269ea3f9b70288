import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineLoader, type EventMap } from '../../src/index.ts';
import { hashSlot } from '../../src/redis/hash-slot.ts';
import { entryKey } from '../helpers/cache.ts';
import { TestCluster, type TestNode } from '../helpers/cluster.ts';
import { type Fleet, startFleet } from '../helpers/fleet.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
}, 60_000);
afterAll(() => cluster?.close());

const IDS = Array.from({ length: 30 }, (_, at) => `id-${at}`);
const VALUES = new Map(IDS.map((id) => [id, `${id}!`]));
const item = defineLoader({
  name: 'item',
  ttl: 2_000,
  refresh: { minLead: '1s' },
  load: async (id: string) => `${id}!`,
});

function crossSlot({ failures }: Fleet): readonly EventMap['redis:failed'][] {
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
  const namespace = uniqueNamespace();
  const all = await startFleet({ redis: cluster.target, namespace }, item, VALUES);
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
  const options = { redis: cluster.target, namespace: uniqueNamespace() };
  const all = await startFleet(options, item, VALUES);

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
