import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { openDataConnection, untilReady } from '../../src/redis/connection.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { nodeOf } from '../../src/redis/redis-client.ts';
import { entryBytes, openCache, recorded } from '../helpers/cache.ts';
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

// One cluster for all: every test takes a master away that has a replica yet, and 3 of 5 are still a majority.
async function unharmed(key: string): Promise<boolean> {
  return cluster.masters.includes(await cluster.ownerOf(key));
}

const TRACKER = '{item:t0of1}';

/** A namespace whose queue is on a master that has a replica, and not on the tracker's. */
async function namespaceApart(): Promise<string> {
  const tracker = await cluster.ownerOf(TRACKER);
  for (;;) {
    const namespace = uniqueNamespace();
    const queue = `{${namespace}:item}`;
    if ((await unharmed(queue)) && (await cluster.ownerOf(queue)) !== tracker) return namespace;
  }
}

it.for([
  ['queue', (namespace: string) => `{${namespace}:item}`],
  ['tracker', () => TRACKER],
] as const)(
  'answers every read while the master of the %s dies, and refreshes all keys within 10 s of its replacement',
  {
    timeout: 60_000,
  },
  async ([, keyOf]) => {
    const namespace = await namespaceApart();
    const options = { redis: cluster.target, namespace, loaders: [item], grace: 1_000 };
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

it('reads the headers of living masters while another one is down', async () => {
  const use = { role: 'cache', name: 'test', events: new Events() } as const;
  const client = openDataConnection(cluster.target, use);
  onTestFinished(() => client.disconnect());
  await untilReady(client, cluster.target, 5_000);
  const store = new EntryStore(client);
  const keys = IDS.map((id) => `${uniqueNamespace()}:{${id}}`);
  const life = { createdAtMs: 1_790_000_000_000, expiresAtMs: 1_790_000_060_000 };
  for (const key of keys) await client.set(key, entryBytes('value', life));
  const [victim] = cluster.masters.filter((node) => cluster.living().includes(node));
  if (!victim) throw new Error('every master has been killed');
  const isLost = (key: string): boolean => nodeOf(client, key) === `127.0.0.1:${victim.port}`;
  expect(new Set(keys.map(isLost)).size).toBe(2);
  const expected = keys.map((key) => (isLost(key) ? undefined : life.expiresAtMs));

  await victim.kill();
  const headers = await store.headers(keys);

  expect(headers.map((header) => header?.expiresAtMs)).toEqual(expected);
  expect(headers).not.toContain(null);
});
