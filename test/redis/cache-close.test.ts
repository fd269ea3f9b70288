import { expect, test } from 'vitest';
import { createCache, defineLoader } from '../../src/index.ts';
import { entryKey, gate, openCache, ownServer } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({
  name: 'item',
  ttl: '1m',
  tags: () => ['t'],
  load: async (id: string) => `loaded ${id}`,
});

test('lets reads that are under way finish, whatever they have come to', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ namespace, loaders: [item] });
  await cache.get(item, 'there');

  const reading = Promise.all([
    cache.get(item, 'there'),
    cache.get(item, 'a'),
    cache.getMany(item, ['b', 'c']),
  ]);
  await cache.close();

  expect(await reading).toEqual(['loaded there', 'loaded a', ['loaded b', 'loaded c']]);
});

test('lets a set that is under way finish', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ namespace, loaders: [item] });

  const setting = cache.set(item, 'a', 'set');
  await cache.close();

  await setting;
  const other = await openCache({ namespace, loaders: [item] });
  expect(await other.getWithMeta(item, 'a')).toMatchObject({ value: 'set', source: 'redis' });
});

test('lets invalidations of every kind finish that are under way', async () => {
  const namespace = uniqueNamespace();
  const other = await openCache({ namespace, loaders: [item] });
  const keys = Array.from({ length: 1_500 }, (_, at) => `${at}`);
  const kinds: ((cache: typeof other) => Promise<number>)[] = [
    (cache) => cache.invalidateMany(item, keys),
    (cache) => cache.invalidateTags('t'),
    (cache) => cache.invalidatePattern(item, '*', { confirm: true }),
    (cache) => cache.invalidateNamespace({ confirm: true }),
  ];
  for (const invalidate of kinds) {
    await other.setMany(
      item,
      keys.map((key) => [key, key] as const),
    );
    const cache = await openCache({ namespace, loaders: [item] });

    const invalidating = invalidate(cache);
    await cache.close();

    expect(await invalidating).toBe(keys.length);
  }
});

test('waits for a write-through whose write ends in time', async () => {
  const namespace = uniqueNamespace();
  const cache = await openCache({ namespace, loaders: [item] });
  const written = gate();

  const writing = cache.writeThrough(item, 'a', async () => {
    await written.opened;
    return 'written';
  });
  const closed = cache.close();
  written.open();
  await closed;

  expect(await writing).toBe('written');
  const other = await openCache({ namespace, loaders: [item] });
  expect(await other.get(item, 'a')).toBe('written');
});

test('refuses at once to store what a write-through answers after it', async () => {
  const cache = await openCache({ loaders: [item] });
  const written = gate();
  const ends = ['value', undefined].map((value) =>
    cache.writeThrough(item, 'a', async () => {
      await written.opened;
      return value as string;
    }),
  );
  await cache.close();
  const openedAtMs = performance.now();
  written.open();

  const closed = { status: 'rejected', reason: expect.objectContaining({ code: 'CLOSED' }) };
  expect(await Promise.allSettled(ends)).toEqual([closed, closed]);
  expect(performance.now() - openedAtMs).toBeLessThan(1_000);
});

test('aborts a load without Redis that does not end', async () => {
  const server = await ownServer();
  let signal: AbortSignal | undefined;
  const hanging = defineLoader({
    name: 'hanging',
    ttl: '1m',
    load: (_id: string, context) => {
      signal = context.signal;
      return new Promise<string>(() => undefined);
    },
  });
  const cache = await openCache({ redis: server.url, loaders: [hanging] });
  await server.close();
  const reading = cache.get(hanging, 'a');
  const failed = expect(reading).rejects.toMatchObject({ code: 'CLOSED' });
  await expect.poll(() => signal).toBeDefined();

  await cache.close();

  await failed;
  expect(signal?.aborted).toBe(true);
});

test('calls no loader afterwards for who waits for the load of another process', async () => {
  const namespace = uniqueNamespace();
  let loads = 0;
  const counted = defineLoader({
    name: 'counted',
    ttl: '1m',
    load: async (_id: string) => {
      loads++;
      return 'value';
    },
  });
  const redis = connect();
  const lock = `${entryKey(namespace, counted, 'a')}:lock`;
  await redis.set(lock, 'another', 'PX', 60_000);
  const cache = createCache({ redis: redisUrl(), namespace, loaders: [counted] });
  await cache.ready();
  const failed = expect(cache.get(counted, 'a')).rejects.toMatchObject({ code: 'CLOSED' });
  await expect.poll(() => redis.get(lock)).not.toBe('another'); // It waits, and has said so.

  await cache.close();

  await failed;
  expect(loads).toBe(0);
});
