import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createScheduler, createWorker, defineLoader, type RedisOption } from '../../src/index.ts';
import { openCache, ownServer } from '../helpers/cache.ts';
import { TestCluster } from '../helpers/cluster.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

// The numbers stand in docs/redis.md.
const QUEUES = 2;
const ONE_SERVER = { cache: 3, scheduler: 2, worker: 3 + QUEUES };
const TWO_SERVERS = { cache: [2, 1], scheduler: [1, 1], worker: [1, 2 + QUEUES] } as const;

const load = async (id: string): Promise<string> => `${id}!`;
const loaders = Array.from({ length: QUEUES }, (_, at) =>
  defineLoader({ name: `loader-${at}`, ttl: '1m', load }),
);
// Has no queue: nothing is ever enqueued for it.
loaders.push(defineLoader({ name: 'unrefreshed', ttl: '1m', load, refresh: false }));

const ROLES = ['cache', 'scheduler', 'worker'] as const;

async function start(role: (typeof ROLES)[number], redis: RedisOption): Promise<void> {
  const options = { redis, namespace: uniqueNamespace(), loaders };
  if (role === 'cache') {
    await openCache(options);
    return;
  }
  const running = role === 'scheduler' ? createScheduler(options) : createWorker(options);
  onTestFinished(() => running.close());
  await running.ready();
}

interface Connection {
  readonly name: string;
  readonly isBlocked: boolean;
}

/** Everwarm's connections to a server, by their names in CLIENT LIST. */
async function connectionsTo(redis: Redis): Promise<Connection[]> {
  const lines = String(await redis.client('LIST')).split('\n');
  return lines.flatMap((line) => {
    const name = /\bname=(\S*everwarm:\S+)/.exec(line)?.[1];
    return name ? [{ name, isBlocked: /\bflags=\w*b/.test(line) }] : [];
  });
}

const countAt = async (redis: Redis): Promise<number> => (await connectionsTo(redis)).length;
const blockedAt = async (redis: Redis): Promise<number> =>
  (await connectionsTo(redis)).filter(({ isBlocked }) => isBlocked).length;

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, one) => sum + one, 0);

describe('on one server', () => {
  it.for(ROLES)('a %s opens as many connections as documented', async (role) => {
    const { url } = await ownServer();
    const redis = connect(url);
    await start(role, url);
    await expect.poll(() => blockedAt(redis)).toBe(role === 'worker' ? QUEUES : 0);
    expect(await countAt(redis)).toBe(ONE_SERVER[role]);
  });
});

describe('on two servers', () => {
  it.for(ROLES)('a %s opens as many connections to each as documented', async (role) => {
    const [cache, queue] = [await ownServer(), await ownServer()];
    const servers = [connect(cache.url), connect(queue.url)] as const;
    await start(role, { cache: cache.url, queue: queue.url });
    await expect.poll(() => blockedAt(servers[1])).toBe(role === 'worker' ? QUEUES : 0);
    expect(await Promise.all(servers.map(countAt))).toEqual(TWO_SERVERS[role]);
  });
});

describe('on a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  }, 60_000);
  afterAll(() => cluster?.close());

  const all = async (count: (redis: Redis) => Promise<number>): Promise<number[]> =>
    Promise.all(cluster.nodes.map(({ redis }) => count(redis)));

  it.for(['cache', 'scheduler'] as const)(
    'a %s opens two connections to each master',
    async (role) => {
      await start(role, cluster.target);
      // A cache has one more to any node, by which it listens.
      const isExact = role === 'scheduler';
      const counts = async (): Promise<number[]> => all(countAt);
      await expect.poll(async () => sumOf(await counts())).toBe(isExact ? 6 : 7);
      for (const count of (await counts()).slice(0, 3)) expect(count).toBeGreaterThanOrEqual(2);
    },
  );

  it('a worker opens two to each master, a blocking one for each queue, and a few that BullMQ needs', async () => {
    await start('worker', cluster.target);
    const sum = async (): Promise<number> =>
      (await all(blockedAt)).reduce((total, one) => total + one);
    await expect.poll(sum).toBe(QUEUES);
    const counts = await all(countAt);
    for (const count of counts.slice(0, 3)) expect(count).toBeGreaterThanOrEqual(2);
    for (const count of counts.slice(0, 3)) expect(count).toBeLessThanOrEqual(3 + QUEUES);
    expect(counts.slice(3)).toEqual([0, 0, 0]);
  });
});
