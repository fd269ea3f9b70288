import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { createCache, createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { checkServer } from '../../src/redis/server-check.ts';
import { openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
const namespace = uniqueNamespace();
const options = { namespace, loaders: [item] };

function evicting(): Promise<EmbeddedRedis> {
  return ownServer('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lfu');
}

function full(): Promise<EmbeddedRedis> {
  return ownServer('--maxmemory', '50mb', '--maxmemory-policy', 'noeviction');
}

async function problems(server: EmbeddedRedis, role: 'cache' | 'queue'): Promise<string[]> {
  const targets = { cache: server.url, queue: server.url };
  const found = await checkServer(connect(server.url), role, targets);
  for (const { code } of found) expect(code).toBe('REDIS_UNSUITABLE');
  return found.map(({ message }) => message);
}

const queueProblem = (url: string): string =>
  `the queue Redis at ${url} has maxmemory-policy allkeys-lfu: it must be noeviction, or jobs and locks are evicted (use a server of its own for the queue)`;
const cacheProblem = (url: string): string =>
  `the cache Redis at ${url} has maxmemory 52428800 with maxmemory-policy noeviction: when full it refuses new entries (use allkeys-lfu)`;

describe('a server', () => {
  test('without a memory limit suits both roles', async () => {
    const server = await ownServer();
    expect(await problems(server, 'cache')).toEqual([]);
    expect(await problems(server, 'queue')).toEqual([]);
  });

  test('that evicts suits the cache and not the queue', async () => {
    const server = await evicting();
    expect(await problems(server, 'cache')).toEqual([]);
    expect(await problems(server, 'queue')).toEqual([queueProblem(server.url)]);
  });

  test('that refuses writes when it is full suits the queue and not the cache', async () => {
    const server = await full();
    expect(await problems(server, 'queue')).toEqual([]);
    expect(await problems(server, 'cache')).toEqual([cacheProblem(server.url)]);
  });

  test.for(['volatile-ttl', 'allkeys-random', 'volatile-lru'])(
    'that evicts by %s does not suit the queue, even without a limit',
    async (policy) => {
      const server = await ownServer('--maxmemory-policy', policy);
      const [problem] = await problems(server, 'queue');
      expect(problem).toContain(`has maxmemory-policy ${policy}: it must be noeviction`);
    },
  );

  test.for([
    ['6.0.16', false],
    ['5.0.7', false],
    ['6.2.0', true],
    ['7.0.15', true],
    ['10.1.0', true],
  ] as const)('of version %s: suits %s', async ([version, suits]) => {
    // No such old server is to be had everywhere: this one only says its version.
    const saying = { info: async () => `# Server\r\nredis_version:${version}\r\nmaxmemory:0\r\n` };
    const targets = { cache: 'redis://u:pass@cache:1', queue: 'redis://queue:2' };
    const found = await checkServer(saying as unknown as Redis, 'cache', targets);
    expect(found.map(({ message }) => message)).toEqual(
      suits
        ? []
        : [`the cache Redis at redis://***@cache:1 is version ${version}: at least 6.2 is needed`],
    );
  });
});

describe('a role on an unsuitable server', () => {
  test('tells by an event, one for each thing that is wrong, and works', async () => {
    const cacheServer = await full();
    const queueServer = await evicting();
    const redis = { cache: cacheServer.url, queue: queueServer.url };
    const cache = createCache({ ...options, redis });
    onTestFinished(() => cache.close());
    const told = recorded(cache, 'server:unsuitable');

    await cache.ready();

    expect(told).toMatchObject([
      { role: 'cache', error: { message: cacheProblem(cacheServer.url) } },
      { role: 'queue', error: { message: queueProblem(queueServer.url) } },
    ]);
    expect(await cache.get(item, 'a')).toBe('a');
  });

  test('is warned about its queue when one evicting server is used for both roles', async () => {
    const { url } = await evicting();
    for (const create of [createCache, createScheduler, createWorker]) {
      const role = create({ ...options, redis: url });
      onTestFinished(() => role.close());
      const told = recorded(role, 'server:unsuitable');
      await role.ready();
      expect(told).toMatchObject([{ role: 'queue', error: { message: queueProblem(url) } }]);
    }
  });

  test('warns on the process when nobody listens', async () => {
    const { url } = await evicting();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));

    await openCache({ ...options, redis: url });

    await expect
      .poll(() => warnings)
      .toMatchObject([{ name: 'EverwarmWarning', message: queueProblem(url) }]);
  });

  test('does not start when it is strict, whatever the role', async () => {
    const { url } = await evicting();
    const refused = { code: 'REDIS_UNSUITABLE', message: queueProblem(url) };
    for (const create of [createCache, createScheduler, createWorker]) {
      const role = create({ ...options, redis: url, strict: true });
      onTestFinished(() => role.close());
      role.on('server:unsuitable', () => undefined); // Else it would warn on the process too.
      await expect(role.ready()).rejects.toMatchObject(refused);
    }
  });

  test('answers no read when it is strict', async () => {
    const { url } = await evicting();
    const cache = createCache({ ...options, redis: url, strict: true });
    onTestFinished(() => cache.close());
    cache.on('server:unsuitable', () => undefined); // Else it would warn on the process too.

    for (const read of [
      cache.get(item, 'a'),
      cache.getMany(item, ['a']),
      cache.set(item, 'a', 'b'),
    ]) {
      await expect(read).rejects.toMatchObject({ code: 'REDIS_UNSUITABLE' });
    }
  });
});
