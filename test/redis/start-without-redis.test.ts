import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openDashboard } from '../../src/cli/dashboard.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import {
  createCache,
  createScheduler,
  createWorker,
  defineLoader,
  defineWarmUp,
} from '../../src/index.ts';
import { nextEvent } from '../helpers/cache.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

/** A port on which nothing listens yet. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('refreshes hot keys once Redis is there, though every role started before it', async () => {
  const port = await freePort();
  const item = defineLoader({ name: 'item', ttl: 1_000, load: async (id: string) => `${id}!` });
  const options = { redis: `redis://127.0.0.1:${port}`, loaders: [item] };
  const cache = createCache(options);
  const scheduler = createScheduler(options);
  const worker = createWorker(options);
  let server: EmbeddedRedis | null = null;
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close(), cache.close()]);
    await server?.close();
  });
  expect(await cache.get(item, 'a')).toBe('a!');
  await Promise.all([scheduler.ready(), worker.ready()]); // Gave up waiting: Redis is not there.

  const refreshed = nextEvent(worker, 'refresh:completed');
  server = await startEmbeddedRedis({ port });
  const reads = setInterval(() => void cache.get(item, 'a'), 20);
  onTestFinished(() => clearInterval(reads));

  expect(await refreshed).toMatchObject({ loader: 'item', key: 'a' });
}, 30_000);

it('serves the dashboard’s data from its first request on', async () => {
  const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
  const plan = defineWarmUp({
    name: 'morning',
    loader: item,
    schedule: '0 9 * * *',
    timezone: 'UTC',
    keys: ['a'],
  });
  const options = { redis: redisUrl(), namespace: uniqueNamespace() };
  const dashboard = await openDashboard({ loaders: [item], warmUps: [plan] }, options, { port: 0 });
  onTestFinished(() => dashboard.close());

  const answer = await fetch(`${dashboard.url}/queues/api/queues?page=1&jobsPerPage=10`);

  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ queues: [{ name: 'item' }, { name: 'warm-ups' }] });
});

it('gives the loader its params as they were when the read began, and the same in a refresh', async () => {
  const seen: unknown[] = [];
  const page = defineLoader({
    name: 'page',
    ttl: '1m',
    load: async (query: { page: number } | null) => {
      seen.push(query);
      return query?.page ?? 'none';
    },
  });
  const cache = createCache({
    redis: redisUrl(),
    namespace: uniqueNamespace(),
    loaders: [page],
  });
  onTestFinished(() => cache.close());
  const query = { page: 1 };

  const answer = cache.get(page, query);
  query.page = 2;

  expect(await answer).toBe(1);
  expect(await cache.get(page, { page: 1 })).toBe(1);
  expect(await cache.get(page, null)).toBe('none');
  expect(seen).toEqual([{ page: 1 }, null]);
});
