import { Cluster, type Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { Breakers } from '../../src/redis/breakers.ts';
import { EntryReads } from '../../src/redis/entry-reads.ts';
import { recorded } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';

const READ_TIMEOUT_MS = 100;
const SLOTS = 16_384;
const MASTERS = 3;

/** A master of a cluster that is to be; its port leaves room for that of the bus, 10,000 above. */
async function startMaster(): Promise<EmbeddedRedis> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '60000'];
  for (let attempt = 0; ; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      const server = await startEmbeddedRedis({ port, args });
      onTestFinished(() => server.close());
      return server;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function startCluster(): Promise<{ servers: EmbeddedRedis[]; nodes: Redis[] }> {
  const servers = await Promise.all(Array.from({ length: MASTERS }, startMaster));
  const nodes = servers.map(({ url }) => connect(url));
  for (const [at, node] of nodes.entries()) {
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
    await node.cluster('ADDSLOTS', ...slots.filter((slot) => slot % MASTERS === at));
  }
  for (const node of nodes) {
    for (const { port } of servers) await node.cluster('MEET', '127.0.0.1', port);
  }
  for (const node of nodes) {
    await expect.poll(() => node.cluster('INFO'), { timeout: 10_000 }).toMatch('cluster_state:ok');
  }
  return { servers, nodes };
}

test('on a cluster any keys are read together, and a master that hangs fails its own slots alone', async () => {
  const { servers, nodes } = await startCluster();
  const cluster = new Cluster(
    servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { maxRetriesPerRequest: 0 } },
  );
  onTestFinished(() => cluster.disconnect());
  const ids = Array.from({ length: 60 }, (_, at) => `ns:{item@1:${at}}`);
  const nodeOfId = new Map<string, number>();
  for (const id of ids) {
    const slot = Number(await (nodes[0] as Redis).cluster('KEYSLOT', id));
    nodeOfId.set(id, slot % MASTERS);
    if (!id.endsWith(':7}')) await cluster.set(id, `value of ${id}`);
  }
  const [first = '', second = ''] = ids;
  await cluster.del(first);
  await cluster.lpush(first, 'not a string');
  const storedAt = (id: string): Buffer | null =>
    id === first || id.endsWith(':7}') ? null : Buffer.from(`value of ${id}`);

  const events = new Events();
  const [opened, closed] = [recorded(events, 'breaker:opened'), recorded(events, 'breaker:closed')];
  const nodeOf = (key: string): string => `node ${nodeOfId.get(key)}`;
  const breakers = new Breakers({ role: 'cache', events, nodeOf });
  const reads = new EntryReads(cluster, { timeoutMs: READ_TIMEOUT_MS, breakers });
  const readAll = (): Promise<(Buffer | null)[]> => Promise.all(ids.map((id) => reads.get(id)));

  expect(await readAll()).toEqual(ids.map(storedAt));
  expect(await reads.getMany(ids)).toEqual(ids.map(storedAt));

  const hung = nodeOfId.get(second) ?? 0;
  const { pid } = servers[hung] as EmbeddedRedis;
  process.kill(pid, 'SIGSTOP');
  const expected = ids.map((id) => (nodeOfId.get(id) === hung ? undefined : storedAt(id)));
  for (let round = 0; round < 30; round++) expect(await reads.getMany(ids)).toEqual(expected);
  expect(opened).toEqual([{ role: 'cache', node: `node ${hung}` }]);
  await expect(reads.get(second)).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    message: expect.stringContaining(
      `the circuit breaker is open for the cache Redis at node ${hung}`,
    ),
  });

  process.kill(pid, 'SIGCONT');
  await expect.poll(() => reads.getMany(ids), { timeout: 5_000 }).toEqual(ids.map(storedAt));
  expect(closed).toEqual(opened);
}, 30_000);
