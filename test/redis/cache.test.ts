import { describe, expect, expectTypeOf, test } from 'vitest';
import { createCache, defineLoader, InvalidKeyError, InvalidOptionError } from '../../src/index.ts';
import { commandCalls, entryKey, openCache, ownServer } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

/** A loader that numbers its loads. */
function counting(options: { name?: string; ttl?: number; version?: number } = {}) {
  const calls: string[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: 600_000,
    ...options,
    load: async (id: string) => {
      calls.push(id);
      return { id, n: calls.length };
    },
  });
  return { loader, calls };
}

describe('get', () => {
  test('answers from the loader, then from Redis', async () => {
    const { loader, calls } = counting();
    const cache = await openCache({ loaders: [loader] });

    expect(await cache.get(loader, 'a')).toEqual({ id: 'a', n: 1 });
    expect(await cache.get(loader, 'a')).toEqual({ id: 'a', n: 1 });
    expect(calls).toEqual(['a']);
  });

  test('shares its entries with every cache of the namespace, and with no other', async () => {
    const { loader, calls } = counting();
    const namespace = uniqueNamespace();
    const one = await openCache({ namespace, loaders: [loader] });
    const two = await openCache({ namespace, loaders: [loader] });
    const stranger = await openCache({ loaders: [loader] });

    await one.get(loader, 'a');
    expect(await two.getWithMeta(loader, 'a')).toMatchObject({ source: 'redis', value: { n: 1 } });
    expect(await stranger.get(loader, 'a')).toEqual({ id: 'a', n: 2 });
    expect(calls).toEqual(['a', 'a']);
  });

  test('answers a first read that does not wait for the connection', async () => {
    const { loader, calls } = counting();
    const cache = createCache({
      redis: redisUrl(),
      namespace: uniqueNamespace(),
      loaders: [loader],
    });

    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ state: 'fresh' });
    expect(calls).toEqual(['a']);
    await cache.close();
  });

  test('keeps null as a value', async () => {
    let loads = 0;
    const nothing = defineLoader({
      name: 'nothing',
      ttl: '1m',
      load: async (_id: string) => {
        loads++;
        return null;
      },
    });
    const cache = await openCache({ loaders: [nothing] });

    expect(await cache.get(nothing, 'a')).toBeNull();
    expect(await cache.getWithMeta(nothing, 'a')).toMatchObject({ value: null, source: 'redis' });
    expect(loads).toBe(1);
  });

  test('takes no params for a loader without any', async () => {
    const top = defineLoader({ name: 'top', ttl: '1m', load: async () => ['a', 'b'] });
    const cache = await openCache({ loaders: [top] });

    const answer = await cache.get(top);
    expectTypeOf(answer).toEqualTypeOf<string[]>();
    expect(answer).toEqual(['a', 'b']);
    expect(await cache.getWithMeta(top, null)).toMatchObject({ source: 'redis' });
    expect(await cache.invalidate(top)).toBe(true);
  });

  test('tells the loader who asks for what', async () => {
    const contexts: unknown[] = [];
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_params: { id: number }, context) => {
        contexts.push({ ...context, signal: context.signal instanceof AbortSignal });
        return 1;
      },
    });
    const cache = await openCache({ loaders: [item] });

    await cache.get(item, { id: 7 });
    expect(contexts).toEqual([{ signal: true, reason: 'miss', key: '{"id":7}', attempt: 1 }]);
  });

  test('never meets the entries of an older version', async () => {
    const namespace = uniqueNamespace();
    const old = counting();
    const young = counting({ version: 2 });
    const before = await openCache({ namespace, loaders: [old.loader] });
    const after = await openCache({ namespace, loaders: [young.loader] });

    await before.set(old.loader, 'a', { id: 'old', n: 0 });
    expect(await after.get(young.loader, 'a')).toEqual({ id: 'a', n: 1 });
    expect(await before.get(old.loader, 'a')).toEqual({ id: 'old', n: 0 });
  });
});

describe('getWithMeta', () => {
  test('tells source, state, age and remaining life', async () => {
    const { loader } = counting({ ttl: 60_000 });
    const cache = await openCache({ loaders: [loader] });

    const meta = {
      value: { id: 'a', n: 1 },
      state: 'fresh',
      ageMs: expect.toSatisfy((ageMs: number) => ageMs >= 0 && ageMs < 30_000),
      ttlMs: expect.toSatisfy((ttlMs: number) => ttlMs > 30_000 && ttlMs <= 60_000),
    };
    expect(await cache.getWithMeta(loader, 'a')).toEqual({ ...meta, source: 'loader' });
    expect(await cache.getWithMeta(loader, 'a')).toEqual({ ...meta, source: 'redis' });
  });
});

describe('set and invalidate', () => {
  test('replace and remove what is read', async () => {
    const { loader, calls } = counting();
    const cache = await openCache({ loaders: [loader] });

    await cache.set(loader, 'a', { id: 'set', n: 0 });
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({
      value: { id: 'set' },
      source: 'redis',
    });
    expect(calls).toEqual([]);
    expect(await cache.invalidate(loader, 'a')).toBe(true);
    expect(await cache.invalidate(loader, 'a')).toBe(false);
    expect(await cache.get(loader, 'a')).toEqual({ id: 'a', n: 1 });
  });

  test('keep a set value for the ttl and for as long as it may stand in for a failed load', async () => {
    const item = defineLoader({
      name: 'item',
      ttl: '10s',
      staleIfError: '20s',
      load: async (_id: string) => 1,
    });
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [item] });

    await cache.set(item, 'a', 5);
    const remainingMs = await connect().pttl(entryKey(namespace, item, 'a'));
    expect(remainingMs).toBeGreaterThan(25_000);
    expect(remainingMs).toBeLessThanOrEqual(30_000);
  });

  test('refuse to store undefined', async () => {
    const { loader } = counting();
    const cache = await openCache({ loaders: [loader] });
    const rule = 'must not be undefined: use invalidate() to remove it';

    const nothing = undefined as never;
    const refused = cache.set(loader, 'a', nothing);
    await expect(refused).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(refused).rejects.toThrow(`\`value\` (undefined) ${rule}`);
    const entries = [['a', 1] as never, ['b', nothing] as never];
    await expect(cache.setMany(loader, entries)).rejects.toThrow(
      `\`entries[1][1]\` (undefined) ${rule}`,
    );
  });
});

describe('what Redis has to do for a hit', () => {
  const quiet = { flushInterval: '1m', recording: true } as const;

  test('is one MGET and no write for a lone read', async () => {
    const { url } = await ownServer();
    const { loader } = counting();
    const cache = await openCache({ redis: url, ...quiet, loaders: [loader] });
    await cache.get(loader, 'a');
    const observer = connect(url);
    await observer.config('RESETSTAT');

    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ source: 'redis' });

    expect(await commandCalls(observer)).toEqual({ mget: 1, 'config|resetstat': 1 });
  });

  test('is one MGET for a getMany, and a few for 1,000 reads at once', async () => {
    const { url } = await ownServer();
    const { loader, calls } = counting();
    const cache = await openCache({ redis: url, ...quiet, loaders: [loader] });
    const ids = Array.from({ length: 100 }, (_, at) => `item-${at}`);
    await cache.getMany(loader, ids);
    const observer = connect(url);
    await observer.config('RESETSTAT');

    await cache.getMany(loader, ids);
    expect(await commandCalls(observer)).toMatchObject({ mget: 1 });

    await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => cache.get(loader, `item-${at % 100}`)),
    );
    const { mget = 0, info: _, ...others } = await commandCalls(observer);
    expect(mget).toBeLessThanOrEqual(10);
    expect(others).toEqual({ 'config|resetstat': 1 });
    expect(calls).toHaveLength(100);
  });
});

describe('what is refused', () => {
  test('is a loader that the cache was not given, naming those it was', async () => {
    const { loader } = counting();
    const other = counting({ name: 'price' });
    const cache = await openCache({ loaders: [loader] });

    await expect(cache.get(other.loader, 'a')).rejects.toMatchObject({
      code: 'UNKNOWN_LOADER',
      message: 'loader "price" is not registered (registered are: item)',
    });
    await expect(cache.get(counting().loader, 'a')).rejects.toMatchObject({
      code: 'UNKNOWN_LOADER',
      message: 'loader "item" is not registered (another definition of that name is registered)',
    });
  });

  test('is a key that is not JSON data, before anything is loaded', async () => {
    const item = defineLoader({ name: 'item', ttl: '1m', load: async (_params: unknown) => 1 });
    const cache = await openCache({ loaders: [item] });

    for (const params of [Number.NaN, new Date(0), { at: 1n }, 'x'.repeat(5_000)] as never[]) {
      await expect(cache.get(item, params)).rejects.toBeInstanceOf(InvalidKeyError);
      await expect(cache.getMany(item, ['fine', params])).rejects.toBeInstanceOf(InvalidKeyError);
      await expect(cache.set(item, params, 1)).rejects.toBeInstanceOf(InvalidKeyError);
      await expect(cache.invalidate(item, params)).rejects.toBeInstanceOf(InvalidKeyError);
    }
  });
});

test('setMany stores 20,000 values, a few hundred at a time', async () => {
  const item = defineLoader({
    name: 'item',
    ttl: '10m',
    tags: () => ['t'],
    load: async (id: string) => id,
  });
  const cache = await openCache({ loaders: [item] });
  const keys = Array.from({ length: 20_000 }, (_, at) => `${at}`);

  await cache.setMany(
    item,
    keys.map((key) => [key, 'set'] as const),
  );

  expect(await cache.invalidateTags('t')).toBe(keys.length);
});
