import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { defineLoader } from '../../src/index.ts';
import { entryBytes, entryKey, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { KINDS } from '../helpers/invalidation.ts';
import { HELD_LONG, hearing, held, heldItem, killBuses } from '../helpers/memory.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const KEY = 'a:1';

/** Two caches that hold the old value of the key in memory. */
async function twoHolders() {
  const namespace = uniqueNamespace();
  const { origin, loader } = heldItem();
  const open = () => openCache({ namespace, loaders: [loader] });
  const [one, other] = [await open(), await open()];
  await hearing(connect(), namespace, 2);
  for (const cache of [one, other]) expect(await held(cache, loader, KEY)).toBe('old');
  return { namespace, origin, loader, one, other };
}

describe.each(Object.keys(KINDS))('an invalidation by %s', (kind) => {
  const invalidate = KINDS[kind] as (typeof KINDS)[string];

  test('takes the copies of this process before it resolves, and those of others', async () => {
    const { origin, loader, one, other } = await twoHolders();
    origin.value = 'new';

    expect(Number(await invalidate({ cache: one, loader }, false))).toBe(1);

    expect(await one.get(loader, KEY)).toBe('new');
    await expect.poll(() => other.get(loader, KEY)).toBe('new');
  });

  test('that is soft takes them, too', async () => {
    const { origin, loader, one, other } = await twoHolders();
    origin.value = 'new';

    expect(Number(await invalidate({ cache: one, loader }, true))).toBe(1);

    const meta = await one.getWithMeta(loader, KEY);
    expect(meta.source).not.toBe('memory');
    await expect.poll(() => other.get(loader, KEY)).toBe('new');
    await expect.poll(() => one.get(loader, KEY)).toBe('new');
  });
});

test('a set takes the copies of this process and of others', async () => {
  const { loader, one, other } = await twoHolders();
  await one.set(loader, KEY, 'set');
  expect(await one.get(loader, KEY)).toBe('set');
  await expect.poll(() => other.get(loader, KEY)).toBe('set');

  await other.setMany(loader, [[KEY, 'set again']]);
  await expect.poll(() => one.get(loader, KEY)).toBe('set again');
});

test('a write through takes the copies of this process and of others', async () => {
  const { loader, one, other } = await twoHolders();
  await one.writeThrough(loader, KEY, () => 'written');
  expect(await one.get(loader, KEY)).toBe('written');
  await expect.poll(() => other.get(loader, KEY)).toBe('written');
});

/** Caches with the loader in its versions 1 and 2, that hold the old value. */
async function twoVersions() {
  const namespace = uniqueNamespace();
  const origin = { value: 'old' };
  const open = async (version: number) => {
    const load = async (_id: string): Promise<string> => origin.value;
    const settings = { name: 'item', ttl: '10m', version, memory: HELD_LONG } as const;
    const loader = defineLoader({ ...settings, load });
    return { cache: await openCache({ namespace, loaders: [loader] }), loader };
  };
  const [one, two] = [await open(1), await open(2)];
  await hearing(connect(), namespace, 2);
  for (const { cache, loader } of [one, two]) await held(cache, loader, 'a');
  return { origin, one, two };
}

test('an invalidation takes the copies of processes with another version', async () => {
  const { origin, one, two } = await twoVersions();
  origin.value = 'new';
  await one.cache.invalidate(one.loader, 'a');
  await expect.poll(() => two.cache.get(two.loader, 'a')).toBe('new');
});

test('a set does not reach the entries of another version', async () => {
  const { one, two } = await twoVersions();
  await one.cache.set(one.loader, 'a', 'set');
  expect(await one.cache.get(one.loader, 'a')).toBe('set');
  expect(await two.cache.get(two.loader, 'a')).toBe('old');
});

test('keys of any text are told to others', async () => {
  const namespace = uniqueNamespace();
  const { origin, loader } = heldItem();
  const open = () => openCache({ namespace, loaders: [loader] });
  const [one, other] = [await open(), await open()];
  await hearing(connect(), namespace, 2);
  const keys = ['a{b}', '%7B', 'a/b"\\', '\u0000\u2028', '😀', '{"a":1}', 'x'.repeat(4_000)];
  for (const key of keys) expect(await held(other, loader, key)).toBe('old');

  origin.value = 'new';
  await one.invalidateMany(loader, keys);
  for (const key of keys) await expect.poll(() => other.get(loader, key)).toBe('new');
});

test('more keys than one message holds are told to others', async () => {
  const namespace = uniqueNamespace();
  const { origin, loader } = heldItem({ maxEntries: 10_000, ttl: '1h' });
  const open = () => openCache({ namespace, loaders: [loader], recording: false });
  const [one, other] = [await open(), await open()];
  await hearing(connect(), namespace, 2);
  const keys = Array.from({ length: 200 }, (_, at) => `${at}-${'k'.repeat(4_000)}`);
  for (const key of keys) expect(await held(other, loader, key)).toBe('old');
  const stays = 'not among them';
  expect(await held(other, loader, stays)).toBe('old');

  origin.value = 'new';
  await one.invalidateMany(loader, keys);
  await expect
    .poll(async () => new Set(await other.getMany(loader, keys)), { timeout: 10_000 })
    .toEqual(new Set(['new']));
  // As names, not as a message that was too long to be heard: then all would be gone.
  expect(await other.getWithMeta(loader, stays)).toMatchObject({ source: 'memory' });
});

describe('a bus connection that is lost', () => {
  test('costs the copies of what was said meanwhile, once it is back', async () => {
    const { url } = await ownServer();
    const redis = connect(url);
    const { origin, loader } = heldItem();
    const open = () => openCache({ redis: url, namespace: 'ns', loaders: [loader] });
    const [one, other] = [await open(), await open()];
    await hearing(redis, 'ns', 2);
    for (const cache of [one, other]) await held(cache, loader, 'a');

    // As an invalidation that nobody here has heard of.
    origin.value = 'new';
    expect(await killBuses(redis)).toBe(2);
    await redis.del(entryKey('ns', loader, 'a'));
    for (const cache of [one, other]) await expect.poll(() => cache.get(loader, 'a')).toBe('new');
  });

  test('with its server costs all copies, once another is there', { timeout: 30_000 }, async () => {
    const first = await startEmbeddedRedis();
    const { origin, loader } = heldItem();
    const cache = await openCache({ redis: first.url, namespace: 'ns', loaders: [loader] });
    await hearing(connect(first.url), 'ns', 1);
    await held(cache, loader, 'a');

    await first.close();
    origin.value = 'new';
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'old', source: 'memory' });
    const second = await startEmbeddedRedis({ port: first.port });
    await expect.poll(() => cache.get(loader, 'a'), { timeout: 10_000 }).toBe('new');
    await cache.close();
    await second.close();
  });
});

test('an invalidation that is repeated after a failover takes the copies that were made meanwhile', async () => {
  const { url } = await ownServer();
  const redis = connect(url);
  const { origin, loader } = heldItem();
  const open = () => openCache({ redis: url, namespace: 'ns', loaders: [loader] });
  const [one, other] = [await open(), await open()];
  await hearing(redis, 'ns', 2);
  origin.value = 'new';
  await one.invalidate(loader, 'a');

  // The new master has not heard of it, and both have read the old value there.
  await plantOld(redis, entryKey('ns', loader, 'a'));
  for (const cache of [one, other]) expect(await held(cache, loader, 'a')).toBe('old');
  await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

  for (const cache of [one, other]) await expect.poll(() => cache.get(loader, 'a')).toBe('new');
});

test('what anybody else says on the channel drops at most', async () => {
  const { namespace, loader, one } = await twoHolders();
  const redis = connect();
  const failed = recorded(one, 'redis:failed');
  const said = [
    'garbage',
    '{"from":"x","drop":[{"kind":"keys","loader":"item","keys":["b"],"value":"evil"}]}',
    '{"from":"x","drop":[{"kind":"keys","loader":"__proto__","keys":["a:1"]}]}',
    '{"wake":"nobody"}',
    '{"from":"x","set":{"a:1":"evil"}}',
    'x'.repeat(2 ** 20),
  ];
  for (const text of said) await redis.publish(`${namespace}:bus`, text);
  expect(await held(one, loader, KEY)).toBe('old');
  expect(failed).toEqual([]);
});

async function plantOld(redis: Redis, place: string): Promise<void> {
  await redis.set(place, entryBytes('old'), 'PX', 60_000);
}
