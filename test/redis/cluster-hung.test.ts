import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { Breakers } from '../../src/redis/breakers.ts';
import { EntryReads } from '../../src/redis/entry-reads.ts';
import { entryKey, openCache, recorded } from '../helpers/cache.ts';
import { TestCluster, type TestNode } from '../helpers/cluster.ts';
import { readingAll } from '../helpers/reading.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

const READ_TIMEOUT_MS = 100;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start(['--cluster-require-full-coverage', 'no']);
  // No replica takes a master's place: the one that comes back has to be used again.
  const settings = ['cluster-replica-no-failover', 'yes'] as const;
  await Promise.all(cluster.nodes.map(({ redis }) => redis.config('SET', ...settings)));
}, 60_000);
afterAll(() => cluster?.close());

const IDS = Array.from({ length: 60 }, (_, at) => `id-${at}`);
const lasting = defineLoader({ name: 'lasting', ttl: '1h', load: async (id: string) => `${id}!` });

function stop(nodes: readonly TestNode[]): () => void {
  for (const { server } of nodes) process.kill(server.pid, 'SIGSTOP');
  const go = (): void => {
    for (const { server } of nodes) process.kill(server.pid, 'SIGCONT');
  };
  onTestFinished(go);
  return go;
}

it('uses a master again within 5 s of its hang, and the others all along', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ redis: cluster.target, namespace, loaders: [lasting] });
  await cache.getMany(lasting, IDS);
  const sources = async (ids: readonly string[]): Promise<Set<string>> =>
    new Set(
      await Promise.all(ids.map(async (id) => (await cache.getWithMeta(lasting, id)).source)),
    );
  expect(await sources(IDS)).toEqual(new Set(['redis']));
  const owners = await Promise.all(
    IDS.map((id) => cluster.ownerOf(entryKey(namespace, lasting, id))),
  );
  const victim = owners[0] as TestNode;
  const lost = IDS.filter((_, at) => owners[at] === victim);
  const kept = IDS.filter((_, at) => owners[at] !== victim);
  const opened = recorded(cache, 'breaker:opened');

  const go = stop([victim]);
  const resumeAtMs = performance.now() + 8_000;
  while (performance.now() < resumeAtMs) {
    expect(await sources(kept)).toEqual(new Set(['redis']));
    expect(await sources(lost)).toEqual(new Set(['loader']));
    await delay(50); // the pace of a visitor, for as long as the hang lasts
  }
  expect(opened).toEqual([{ role: 'cache', node: `127.0.0.1:${victim.port}` }]);
  go();

  await expect.poll(() => sources(lost), { timeout: 5_000 }).toEqual(new Set(['redis']));
  expect(await sources(kept)).toEqual(new Set(['redis']));
}, 30_000);

const FEW = IDS.slice(0, 15);
const loadBrief = async (id: string): Promise<string> => `${id}!`;
const brief = defineLoader({ name: 'brief', ttl: 2_000, load: loadBrief });
const later = defineLoader({ name: 'later', ttl: 2_000, load: loadBrief });
const TRACKER = '{brief:t0of1}';

/** A namespace of which one queue is on another master than a tracker. */
async function namespaceApart(): Promise<string> {
  const tracker = await cluster.ownerOf(TRACKER);
  for (;;) {
    const namespace = uniqueNamespace();
    if ((await cluster.ownerOf(`{${namespace}:later}`)) !== tracker) return namespace;
  }
}

/** A worker and a scheduler, which `close` ends both. */
async function openRoles(namespace: string) {
  const loaders = [brief, later];
  const options = { redis: cluster.target, namespace, loaders, grace: 1_000 };
  const roles = [createWorker(options), createScheduler(options)] as const;
  const close = async (): Promise<void> => {
    await Promise.all(roles.map((role) => role.close()));
  };
  onTestFinished(close);
  await Promise.all(roles.map((role) => role.ready()));
  return { landed: recorded(roles[0], 'refresh:completed'), close };
}

it('refreshes all keys within 10 s of the hang of two masters, which holds up no read and no close', async () => {
  const namespace = await namespaceApart();
  const cache = await openCache({ redis: cluster.target, namespace, loaders: [brief, later] });
  const leaving = await openRoles(namespace);
  const { landed, close } = await openRoles(namespace);
  const landedKeys = (from: number): number =>
    new Set(landed.slice(from).map(({ loader, key }) => `${loader} ${key}`)).size;
  const reading = (loader: typeof brief): ReturnType<typeof readingAll> =>
    readingAll(FEW, {
      get: (id) => cache.get(loader, id),
      getMany: (ids) => cache.getMany(loader, ids),
      valueOf: (id) => `${id}!`,
    });
  const readings = [reading(brief)];
  const allLanded = (): number => landed.length + leaving.landed.length;
  await expect.poll(allLanded, { timeout: 15_000 }).toBeGreaterThan(FEW.length);
  const places = [TRACKER, `{${namespace}:later}`];
  const victims = await Promise.all(places.map((key) => cluster.ownerOf(key)));

  // Workers wait at one of them for a first job of `later`: at the end of that wait BullMQ connects anew.
  const go = stop(victims);
  const isOver = delay(7_000, true); // the hang: longer than such a wait
  await delay(500); // until ticks and jobs wait for what hangs
  const isClosed = leaving.close().then(() => true);
  expect(await Promise.race([isClosed, isOver.then(() => false)])).toBe(true);
  readings.push(reading(later));
  await isOver;
  go();
  await cluster.ok();
  const before = landed.length;
  await expect.poll(() => landedKeys(before), { timeout: 10_000 }).toBe(2 * FEW.length);

  for (const { stop } of readings) {
    const { reads, errors, slowestMs } = await stop();
    expect(errors).toEqual([]);
    expect(reads).toBeGreaterThan(100);
    expect(slowestMs).toBeLessThan(5_000);
  }
  expect(await Promise.race([close(), delay(5_000, 'late')])).toBe(undefined);
}, 60_000);
it('on a cluster any keys are read together, and a master that hangs fails its own slots alone', async () => {
  const client = new Cluster(cluster.target.cluster, { redisOptions: { maxRetriesPerRequest: 0 } });
  onTestFinished(() => client.disconnect());
  const ids = Array.from({ length: 60 }, (_, at) => `ns:{item@1:${at}}`);
  const owners = new Map<string, TestNode>();
  for (const id of ids) {
    owners.set(id, await cluster.ownerOf(id));
    if (!id.endsWith(':7}')) await client.set(id, `value of ${id}`);
  }
  const [first = '', second = ''] = ids;
  await client.del(first);
  await client.lpush(first, 'not a string');
  const storedAt = (id: string): Buffer | null =>
    id === first || id.endsWith(':7}') ? null : Buffer.from(`value of ${id}`);

  const events = new Events();
  const [opened, closed] = [recorded(events, 'breaker:opened'), recorded(events, 'breaker:closed')];
  const nodeOf = (key: string): string => `node ${owners.get(key)?.port}`;
  const breakers = new Breakers({ role: 'cache', events, nodeOf });
  const reads = new EntryReads(client, { timeoutMs: READ_TIMEOUT_MS, breakers });
  const readAll = (): Promise<(Buffer | null)[]> => Promise.all(ids.map((id) => reads.get(id)));

  expect(await readAll()).toEqual(ids.map(storedAt));
  expect(await reads.getMany(ids)).toEqual(ids.map(storedAt));

  const victim = owners.get(second) as TestNode;
  const hung = `node ${victim.port}`;
  const go = stop([victim]);
  const expected = ids.map((id) => (nodeOf(id) === hung ? undefined : storedAt(id)));
  for (let round = 0; round < 30; round++) expect(await reads.getMany(ids)).toEqual(expected);
  expect(opened).toEqual([{ role: 'cache', node: hung }]);
  // One of the two may be the probe.
  const [, refused] = await Promise.allSettled([reads.get(second), reads.get(second)]);
  expect(refused).toMatchObject({
    reason: {
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining(
        `the circuit breaker is open for the cache Redis at ${hung}`,
      ),
    },
  });

  go();
  await expect.poll(() => reads.getMany(ids), { timeout: 5_000 }).toEqual(ids.map(storedAt));
  expect(closed).toEqual(opened);
}, 30_000);
