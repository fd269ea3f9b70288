import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { Breakers } from '../../src/redis/breakers.ts';
import { EntryReads } from '../../src/redis/entry-reads.ts';
import { recorded } from '../helpers/cache.ts';
import { TestCluster, type TestNode } from '../helpers/cluster.ts';

const READ_TIMEOUT_MS = 100;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start(['--cluster-require-full-coverage', 'no']);
  const settings = ['cluster-replica-no-failover', 'yes'] as const;
  await Promise.all(cluster.nodes.map(({ redis }) => redis.config('SET', ...settings)));
}, 60_000);
afterAll(() => cluster?.close());

test('on a cluster any keys are read together, and a master that hangs fails its own slots alone', async () => {
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

  const { server } = owners.get(second) as TestNode;
  const hung = `node ${server.port}`;
  process.kill(server.pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(server.pid, 'SIGCONT'));
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

  process.kill(server.pid, 'SIGCONT');
  await expect.poll(() => reads.getMany(ids), { timeout: 5_000 }).toEqual(ids.map(storedAt));
  expect(closed).toEqual(opened);
}, 30_000);
