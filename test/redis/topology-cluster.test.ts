import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { resolveRedis } from '../../src/config/redis-option.ts';
import { Events } from '../../src/core/events.ts';
import { runDoctor } from '../../src/doctor/run-doctor.ts';
import { createCache, defineLoader } from '../../src/index.ts';
import { readFleetRates } from '../../src/observe/fleet-rates.ts';
import { openDataConnection, untilReady } from '../../src/redis/connection.ts';
import { hashSlot } from '../../src/redis/hash-slot.ts';
import { Keys } from '../../src/redis/keys.ts';
import { mastersOf, nodeOf } from '../../src/redis/redis-client.ts';
import { checkServer } from '../../src/redis/server-check.ts';
import { CacheWatch } from '../../src/schedule/cache-watch.ts';
import { CLUSTER_RULES, RULES } from '../helpers/acl.ts';
import { openCache, recorded } from '../helpers/cache.ts';
import { TestCluster } from '../helpers/cluster.ts';
import { uniqueNamespace } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';
import { Fleet } from '../helpers/warm-fleet.ts';

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

it('knows what reads came to, wherever their keys are', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ redis: cluster.target, namespace, loaders: [item] });
  await cache.getMany(item, IDS);
  await cache.getMany(item, IDS);
  await cache.close();

  const { queue: target } = resolveRedis(cluster.target);
  const events = new Events();
  const queue = openDataConnection(target, { role: 'queue', name: 'reads', events });
  onTestFinished(() => queue.disconnect());
  await untilReady(queue, target, 5_000);
  const clock = { now: () => Date.now() };
  const rates = await readFleetRates({ queue, keys: new Keys(namespace), clock }, item);
  expect(rates.reads).toMatchObject({ redis: 0.5, waited: 0.5 });
});

it('is found to be well by the doctor', async () => {
  const redis = resolveRedis(cluster.target);
  const [cache, queue] = (['cache', 'queue'] as const).map((role) =>
    openDataConnection(redis[role], { role, name: 'doctor', events: new Events() }),
  );
  onTestFinished(() => [cache, queue].forEach((client) => void client?.disconnect()));
  if (!cache || !queue) throw new Error('there are two');
  const parts = { cache, queue, redis, loaders: [item], warmUps: [], isProduction: false };
  const checks = await runDoctor({ ...parts, keys: new Keys(uniqueNamespace()) });

  const message = 'all 16384 slots are served by 3 masters';
  expect(checks).toContainEqual({ name: 'cache cluster', ok: true, message, fix: null });
  expect(checks).toContainEqual({
    name: 'queue cluster',
    ok: true,
    message: `${message}; the queues of 1 loaders lie on 1`,
    fix: null,
  });
});

describe('a cluster under scheduler and worker', () => {
  it('has its keys refreshed in all slots', { timeout: 40_000 }, async () => {
    const quick = defineLoader({
      name: 'quick',
      ttl: 2_000,
      refresh: { minLead: '1s' },
      load: async (id: string) => `${id}!`,
    });
    const options = {
      redis: cluster.target,
      namespace: uniqueNamespace(),
      loaders: [quick],
      strict: true,
    };
    const { cache, worker, scheduler } = await startRoles(options);
    const refreshed = recorded(worker, 'refresh:completed');
    const failures = [cache, worker, scheduler].map((role) => recorded(role, 'redis:failed'));
    const reads = setInterval(() => void cache.getMany(quick, IDS), 50);
    onTestFinished(() => clearInterval(reads));

    await expect
      .poll(() => new Set(refreshed.map(({ key }) => key)).size, { timeout: 30_000 })
      .toBe(IDS.length);
    expect(failures.flat()).toEqual([]);
  });
});

describe('warming on a cluster', () => {
  it('by the cache loads the keys of all slots once', async () => {
    const options = { redis: cluster.target, namespace: uniqueNamespace(), loaders: [item] };
    const cache = await openCache(options);
    expect(await cache.warm(item, IDS)).toEqual({ done: IDS.length, skipped: 0, failed: 0 });

    const other = await openCache(options);
    const loads = recorded(other, 'load:completed');
    expect(await other.getMany(item, IDS)).toEqual(IDS.map((id) => `${id}!`));
    expect(await other.warm(item, IDS)).toEqual({ done: 0, skipped: IDS.length, failed: 0 });
    expect(loads).toEqual([]);
  });

  it('by a plan runs once, through the queue', { timeout: 40_000 }, async () => {
    const fleet = new Fleet(cluster.target);
    await fleet.worker();
    const plan = fleet.plan({ keys: IDS });
    await Promise.all([fleet.scheduler(plan), fleet.scheduler(plan)]);

    await expect
      .poll(() => fleet.events['warmup:completed'], { timeout: 20_000 })
      .toMatchObject([{ done: IDS.length, failed: 0 }]);
    expect([...fleet.loads]).toEqual(expect.arrayContaining(IDS.map((id) => [id, 1])));
    const cache = await openCache({
      redis: cluster.target,
      namespace: fleet.namespace,
      loaders: [fleet.item],
    });
    expect(await cache.getWithMeta(fleet.item, 'id-7')).toMatchObject({ source: 'redis' });
    expect(fleet.events['warmup:failed']).toBeUndefined();
  });
});

it('opens every node as the URL of the first says, with the rights of the page', async () => {
  for (const { redis } of cluster.nodes) {
    await redis.call('ACL', 'SETUSER', 'everwarm', 'on', '>secret', ...RULES, ...CLUSTER_RULES);
    await redis.call('ACL', 'LOG', 'RESET');
  }
  const [first] = cluster.nodes;
  const redis = { cluster: [`redis://everwarm:secret@127.0.0.1:${first?.port}`] };
  const options = { redis, namespace: 'everwarm', loaders: [item], strict: true };
  const { cache } = await startRoles(options);
  expect(await cache.getMany(item, IDS)).toEqual(IDS.map((id) => `${id}!`));
  for (const node of cluster.masters) {
    expect(String(await node.redis.client('LIST'))).toContain(' user=everwarm ');
    expect(await node.redis.call('ACL', 'LOG')).toEqual([]);
  }
});

it.for(CLUSTER_RULES)('is denied something on a cluster without %s', async (grant) => {
  const rules = [...RULES, ...CLUSTER_RULES].filter((rule) => rule !== grant);
  for (const { redis } of cluster.nodes) {
    await redis.call('ACL', 'SETUSER', 'lesser', 'reset', 'on', '>secret', ...rules);
    await redis.call('ACL', 'LOG', 'RESET');
  }
  const [first] = cluster.nodes;
  const redis = { cluster: [`redis://lesser:secret@127.0.0.1:${first?.port}`] };
  const cache = createCache({ redis, namespace: 'everwarm', loaders: [item] });
  onTestFinished(() => cache.close());
  await expect.poll(() => first?.redis.call('ACL', 'LOG')).not.toEqual([]);
});

describe('a connection for data', () => {
  async function open() {
    const use = { role: 'cache', name: 'test', events: new Events() } as const;
    const client = openDataConnection(cluster.target, use);
    onTestFinished(() => client.disconnect());
    await untilReady(client, cluster.target, 5_000);
    return client;
  }

  it('knows its masters, and the one of each key', async () => {
    const client = await open();
    const addresses = cluster.masters.map(({ port }) => `127.0.0.1:${port}`);
    const masters = mastersOf(client).map(({ options }) => `${options.host}:${options.port}`);
    expect(masters.sort()).toEqual(addresses.sort());
    for (const key of ['a', 'b', 'c', '{x}d']) {
      expect(nodeOf(client, key)).toBe(`127.0.0.1:${(await cluster.ownerOf(key)).port}`);
    }
  });

  it('never sends a command again whose connection broke', async () => {
    const client = await open();
    const key = uniqueNamespace();
    const { port } = await cluster.ownerOf(key);
    const node = mastersOf(client).find(({ options }) => options.port === port);
    const written = client.incr(key);
    node?.stream.destroy();

    await expect(written).rejects.toThrow('Connection is closed');
    await expect.poll(() => client.get(key).catch(() => 'away')).toBe('1');
  });

  it('tells a wipe of any master, once', async () => {
    const client = await open();
    const watch = new CacheWatch(client, new Keys(uniqueNamespace()));
    expect(await watch.look()).toMatchObject({ wasWiped: true });
    for (const { redis } of cluster.masters) {
      expect(await watch.look()).toMatchObject({ wasWiped: false });
      await redis.flushall();
      expect(await watch.look()).toMatchObject({ wasWiped: true });
    }
    expect(await watch.look()).toMatchObject({ wasWiped: false });
  });

  it('names the master that does not suit its role', async () => {
    const client = await open();
    const targets = { cache: cluster.target, queue: cluster.target };
    const [, second] = cluster.masters;
    await second?.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    onTestFinished(() => void second?.redis.config('SET', 'maxmemory-policy', 'noeviction'));

    expect(await checkServer(client, 'cache', targets)).toEqual([]);
    const [problem, ...others] = await checkServer(client, 'queue', targets);
    expect(problem?.message).toContain(
      `has a master, 127.0.0.1:${second?.port}, that has maxmemory-policy allkeys-lru: it must be noeviction`,
    );
    expect(others).toEqual([]);
  });
});
