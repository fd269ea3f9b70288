import { beforeEach, describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import {
  entryBytes,
  entryKey,
  type Gate,
  gate,
  nextEvent,
  openCache,
  recorded,
} from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

/** Of an entry that took so long to load, the last 25 s are late: no test has to wait for them. */
const LONG_LOAD = { meanMs: 20_000, deviationMs: 0 };
const TTL_MS = 60_000;
const LEFT_MS = 15_000;

let namespace: string;
let held: Gate;
let loads: string[];
let item: Loader<string, string>;

beforeEach(() => {
  namespace = uniqueNamespace();
  held = gate();
  loads = [];
  item = defineLoader({
    name: 'item',
    ttl: TTL_MS,
    load: async (id: string) => {
      loads.push(id);
      await held.opened;
      return `${id} refreshed`;
    },
  });
});

/** A cache with late entries of these keys: fresh, and soon to expire for the time a load takes. */
async function withLate(...keys: readonly string[]): Promise<Cache> {
  const redis = connect();
  for (const key of keys) {
    const expiresAtMs = Date.now() + LEFT_MS;
    const bytes = entryBytes(`${key} old`, { expiresAtMs, load: LONG_LOAD });
    await redis.set(entryKey(namespace, item, key), bytes, 'PX', TTL_MS);
  }
  return openCache({ namespace, loaders: [item] });
}

describe('a late entry that nobody refreshes', () => {
  test('is refreshed in the background by the second read of its life', async () => {
    const cache = await withLate('a');
    const refreshed = nextEvent(cache, 'load:completed');

    const old = { value: 'a old', source: 'redis', state: 'fresh' };
    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old);
    expect(loads).toEqual([]);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old);
    await expect.poll(() => loads).toEqual(['a']);
    held.open();

    expect(await refreshed).toMatchObject({ key: 'a', reason: 'refresh', stored: true });
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({
      value: 'a refreshed',
      source: 'redis',
      state: 'fresh',
    });
  });

  test('is loaded once, however often it is read meanwhile', async () => {
    const cache = await withLate('a');
    const refreshed = nextEvent(cache, 'load:completed');

    await Promise.all(Array.from({ length: 500 }, () => cache.get(item, 'a')));
    await expect.poll(() => loads).toEqual(['a']);
    await Promise.all(Array.from({ length: 500 }, () => cache.get(item, 'a')));
    held.open();
    await refreshed;

    expect(loads).toEqual(['a']);
  });

  test('is loaded once in the fleet', async () => {
    const one = await withLate('a');
    const two = await openCache({ namespace, loaders: [item] });
    const refreshed = nextEvent(one, 'load:completed');

    await one.getMany(item, ['a']);
    await one.getMany(item, ['a']);
    await expect.poll(() => loads).toEqual(['a']);
    for (let read = 0; read < 5; read++) await two.get(item, 'a');
    held.open();
    await refreshed;

    expect(await two.get(item, 'a')).toBe('a refreshed');
    expect(loads).toEqual(['a']);
  });

  test('is left to the worker that holds its lock', async () => {
    const cache = await withLate('a');
    const lockKey = `${entryKey(namespace, item, 'a')}:lock`;
    const redis = connect();
    await redis.set(lockKey, 'a worker', 'PX', 60_000);

    for (let read = 0; read < 5; read++) expect(await cache.get(item, 'a')).toBe('a old');
    // A reply of this connection comes after those to the questions for the lock.
    await cache.get(item, 'a');

    expect(loads).toEqual([]);
    expect(await redis.get(lockKey)).toBe('a worker');
  });

  test('is answered while its refresh fails, which is tried once', async () => {
    const failing = defineLoader({
      name: 'item',
      ttl: TTL_MS,
      load: async (id: string): Promise<string> => {
        loads.push(id);
        throw new Error('origin is down');
      },
    });
    await withLate('a');
    const cache = await openCache({ namespace, loaders: [failing] });
    const failed = nextEvent(cache, 'load:failed');

    await cache.get(failing, 'a');
    await cache.get(failing, 'a');
    expect(await failed).toMatchObject({ reason: 'refresh', key: 'a' });
    for (let read = 0; read < 20; read++) expect(await cache.get(failing, 'a')).toBe('a old');

    expect(loads).toEqual(['a']);
  });

  test('is not refreshed over an invalidation that came meanwhile', async () => {
    const cache = await withLate('a');
    const refreshed = nextEvent(cache, 'load:completed');
    await cache.get(item, 'a');
    await cache.get(item, 'a');
    await expect.poll(() => loads).toEqual(['a']);

    await cache.invalidate(item, 'a');
    held.open();

    expect(await refreshed).toMatchObject({ stored: false });
    expect(await connect().exists(entryKey(namespace, item, 'a'))).toBe(0);
  });
});

test('refreshes at most 8 late entries at a time', async () => {
  const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`);
  const cache = await withLate(...keys);
  const completed = recorded(cache, 'load:completed');

  await cache.getMany(item, keys);
  await cache.getMany(item, keys);
  await expect.poll(() => loads.length).toBe(8);
  await cache.getMany(item, keys);
  expect(loads).toEqual(keys.slice(0, 8));
  held.open();
  await expect.poll(() => completed.length).toBe(8);

  // The next ones have their turn once there is room.
  await expect
    .poll(async () => {
      await cache.getMany(item, keys);
      return completed.length;
    })
    .toBe(20);
  expect([...loads].sort()).toEqual([...keys].sort());
});

test('leaves an entry alone that is not late', async () => {
  const cache = await openCache({ namespace, loaders: [item] });
  const bytes = entryBytes('a young', { load: { meanMs: 10, deviationMs: 5 } });
  await connect().set(entryKey(namespace, item, 'a'), bytes, 'PX', TTL_MS);

  for (let read = 0; read < 10; read++) expect(await cache.get(item, 'a')).toBe('a young');

  expect(loads).toEqual([]);
});

test('keeps a key warm that is read steadily: no read waits after the first, one load per life', async () => {
  const lives = 4;
  const steady = defineLoader({
    name: 'steady',
    ttl: 1_500,
    load: async (id: string) => {
      const n = loads.push(id);
      // The origin's own time, and that it varies: how early is late is judged by both.
      await new Promise((resolve) => setTimeout(resolve, n % 2 ? 240 : 60));
      return n;
    },
  });
  const cache = await openCache({ namespace, loaders: [steady] });
  const sources: string[] = [];
  const values = new Set<number>();

  while (loads.length < lives) {
    const { source, value } = await cache.getWithMeta(steady, 'a');
    sources.push(source);
    values.add(value);
    // The reader's own pace.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  expect(sources.filter((source) => source === 'loader')).toEqual(['loader']);
  expect([...values]).toEqual([1, 2, 3]);
}, 20_000);
