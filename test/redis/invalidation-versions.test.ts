import { describe, expect, test } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { commandCalls, openCache, ownServer } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

describe('two live versions', () => {
  const versioned = (version: number) =>
    defineLoader({
      name: 'item',
      ttl: '10m',
      version,
      load: async (id: string) => `${id} ${version}`,
    });

  test('are both invalidated by either, and a version alone when asked for', async () => {
    const namespace = uniqueNamespace();
    const [old, young] = [versioned(1), versioned(2)];
    const before = await openCache({ namespace, loaders: [old] });
    const after = await openCache({ namespace, loaders: [young] });
    const fill = () =>
      Promise.all([before.getMany(old, ['a', 'b']), after.getMany(young, ['a', 'b'])]);

    await fill();
    expect(await after.invalidateMany(young, ['a'])).toBe(2);
    await fill();
    expect(await before.invalidateMany(old, ['a', 'b'])).toBe(4);
    await fill();
    expect(await after.invalidatePattern(young, 'a*')).toBe(2);
    await fill();
    expect(await after.invalidateLoader(young, { version: 1 })).toBe(2);
    expect((await after.getWithMeta(young, 'a')).source).toBe('redis');
    await fill();
    expect(await before.invalidateLoader(old)).toBe(4);
  });

  test('are known from the first invalidation after a deploy, without a heartbeat between', async () => {
    const namespace = uniqueNamespace();
    const [old, young] = [versioned(1), versioned(2)];
    const before = await openCache({ namespace, loaders: [old] });
    await before.invalidate(old, 'a');
    const after = await openCache({ namespace, loaders: [young] });
    await after.get(young, 'a');

    expect(await before.invalidate(old, 'a')).toBe(true);
    expect((await after.getWithMeta(young, 'a')).source).toBe('loader');
  });

  test('stay known for as long as entries of the old one may be read after a rollback', async () => {
    const namespace = uniqueNamespace();
    const [old, young] = [versioned(1), versioned(2)];
    const before = await openCache({ namespace, loaders: [old] });
    await before.get(old, 'a');
    await before.close();
    const after = await openCache({ namespace, loaders: [young] });

    expect(await after.invalidate(young, 'a')).toBe(true);
    const score = Number(await connect().zscore(new Keys(namespace).versions('item'), '1'));
    expect(score).toBeGreaterThan(Date.now() + old.ttlMs + old.staleIfErrorMs);
  });

  test('are both invalidated, as last known, while the queue server is away', async () => {
    const queue = await startEmbeddedRedis();
    const server = await ownServer();
    const redis = { cache: server.url, queue: queue.url };
    const [old, young] = [versioned(1), versioned(2)];
    const before = await openCache({ redis, namespace: 'ns', loaders: [old] });
    const after = await openCache({ redis, namespace: 'ns', loaders: [young] });
    await before.get(old, 'a');
    await after.get(young, 'a');
    await after.invalidate(young, 'nothing');
    await queue.close();

    expect(await after.invalidateMany(young, ['a'])).toBe(2);
  });
});

test('a loader that is added costs its own commands, whatever there is already', async () => {
  const server = await ownServer();
  const cache = await openCache({ redis: server.url });
  const redis = connect(server.url);
  const before = await commandCalls(redis);
  for (let n = 0; n < 100; n++) cache.wrap(async (id: string) => id, { name: `f${n}`, ttl: '1m' });
  await expect.poll(async () => (await redis.keys('*:versions')).length).toBe(100);

  const after = await commandCalls(redis);
  expect((after.evalsha ?? 0) - (before.evalsha ?? 0)).toBeLessThan(150);
});
