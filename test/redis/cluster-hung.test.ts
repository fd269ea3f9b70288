import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { entryKey, openCache, recorded } from '../helpers/cache.ts';
import { TestCluster, type TestNode } from '../helpers/cluster.ts';
import { uniqueNamespace } from '../helpers/redis.ts';

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
