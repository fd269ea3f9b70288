import { expect, it, onTestFinished } from 'vitest';
import { createScheduler, createWorker, defineLoader, type RedisOption } from '../../src/index.ts';
import { RULES } from '../helpers/acl.ts';
import { openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';

const GRANTS = RULES.filter((rule) => /^[+~&]/.test(rule));

const item = defineLoader({ name: 'item', ttl: 1_000, load: async (id: string) => `${id}!` });

/** A server with a user of these rules, and all that was denied to it so far. */
async function serverFor(rules: readonly string[]) {
  const { url } = await ownServer();
  const admin = connect(url);
  await admin.call('ACL', 'SETUSER', 'everwarm', 'on', '>secret', ...rules);
  const denied = async (): Promise<string[]> => {
    const log = (await admin.call('ACL', 'LOG')) as string[][];
    return log.map((entry) => `${entry[3]} ${entry[7]}`);
  };
  return { url: url.replace('//', '//everwarm:secret@'), denied };
}

/** Every role at work: answers the refreshes that landed. */
async function runAll(redis: RedisOption) {
  const options = { redis, namespace: 'everwarm', loaders: [item] };
  const cache = await openCache(options);
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await scheduler.close();
    await worker.close();
  });
  const refreshed = recorded(worker, 'refresh:completed');
  const failed = [cache, worker, scheduler].map((role) => recorded(role, 'redis:failed'));
  const work = async (): Promise<unknown> =>
    Promise.allSettled([cache.getMany(item, ['a', 'b']), cache.set(item, 'd', 'd!')]);
  const reads = setInterval(() => void work(), 20);
  onTestFinished(() => clearInterval(reads));
  return { cache, refreshed, failed };
}

it('does all its work with the rights of the page', async () => {
  const { url, denied } = await serverFor(RULES);
  const { cache, refreshed, failed } = await runAll(url);
  await cache.set(item, 'c', 'set');
  expect(await cache.get(item, 'c')).toBe('set');
  expect(await cache.invalidate(item, 'c')).toBe(true);
  await expect.poll(() => refreshed.length, { timeout: 10_000 }).toBeGreaterThan(4);
  expect(failed.flat()).toEqual([]);
  expect(await denied()).toEqual([]);
});

it.for(GRANTS)('is denied something without %s', async (grant) => {
  const { url, denied } = await serverFor(RULES.filter((rule) => rule !== grant));
  const { cache } = await runAll(url);
  await cache.set(item, 'c', 'set').catch(() => undefined); // What it needs, it may not be allowed.
  await expect.poll(denied, { timeout: 10_000 }).not.toEqual([]);
});

it('does without the keys and the clock of the queue on a cache server of its own', async () => {
  const forQueue = ['~{everwarm:*', '+time'];
  const cacheServer = await serverFor(RULES.filter((rule) => !forQueue.includes(rule)));
  const queueServer = await serverFor(RULES);
  const { refreshed } = await runAll({ cache: cacheServer.url, queue: queueServer.url });
  await expect.poll(() => refreshed.length, { timeout: 10_000 }).toBeGreaterThan(1);
  expect([await cacheServer.denied(), await queueServer.denied()]).toEqual([[], []]);
});
