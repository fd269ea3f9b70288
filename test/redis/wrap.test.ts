import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createScheduler,
  defineLoader,
  InvalidKeyError,
  InvalidOptionError,
} from '../../src/index.ts';
import { entryBytes, entryKey, gate, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';
import { priceSchema } from '../helpers/schemas.ts';

/** A function that keeps the arguments of its calls. */
function origin() {
  const calls: unknown[][] = [];
  async function product(...args: [id: string, currency?: string]): Promise<{ id: string }> {
    calls.push(args);
    return { id: args.join(' in ') };
  }
  return { product, calls };
}

describe('a wrapped function', () => {
  test('reads through the cache, for its arguments', async () => {
    const { product, calls } = origin();
    const cache = await openCache({});
    const getProduct = cache.wrap(product, { name: 'product', ttl: '1m' });

    expect(await getProduct('a')).toEqual({ id: 'a' });
    expect(await getProduct('a')).toEqual({ id: 'a' });
    expect(await getProduct('a', 'EUR')).toEqual({ id: 'a in EUR' });
    expect(await getProduct('a', undefined)).toEqual({ id: 'a' });
    expect(calls).toEqual([['a'], ['a', 'EUR']]);
  });

  test('keeps its name and length', async () => {
    const cache = await openCache({});
    const area = async (width: number, height: number) => width * height;
    const getArea = cache.wrap(area, { name: 'area', ttl: '1m' });

    expect([getArea.name, getArea.length]).toEqual(['area', 2]);
    expect(await getArea(2, 3)).toBe(6);
  });

  test('may be synchronous, and answers a promise', async () => {
    const cache = await openCache({});
    const double = cache.wrap((n: number) => 2 * n, { name: 'double', ttl: '1m' });

    const answer = double(21);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe(42);
  });

  test('is called once for all who wait', async () => {
    const loading = gate();
    let calls = 0;
    const cache = await openCache({});
    const slow = async (id: string) => {
      calls++;
      await loading.opened;
      return id;
    };
    const getSlow = cache.wrap(slow, { name: 'slow', ttl: '1m' });
    const missed = recorded(cache, 'entry:missed');

    const answers = Array.from({ length: 100 }, () => getSlow('a'));
    await expect.poll(() => missed.length).toBe(100);
    loading.open();

    expect(new Set(await Promise.all(answers))).toEqual(new Set(['a']));
    expect(calls).toBe(1);
  });

  test('shares its values with the same function wrapped by another cache', async () => {
    const namespace = uniqueNamespace();
    const [one, other] = [origin(), origin()];
    const caches = [await openCache({ namespace }), await openCache({ namespace })] as const;
    const options = { name: 'product', ttl: '1m' } as const;
    const getOne = caches[0].wrap(one.product, options);
    const getOther = caches[1].wrap(other.product, options);

    expect(await getOne('a')).toEqual({ id: 'a' });
    expect(await getOther('a')).toEqual({ id: 'a' });
    expect(other.calls).toEqual([]);
  });

  test('is a loader of its cache, and can be invalidated by its arguments', async () => {
    const { product, calls } = origin();
    const cache = await openCache({});
    const getProduct = cache.wrap(product, { name: 'product', ttl: '1m' });

    await getProduct('a', 'EUR');
    expect(await cache.get(getProduct.loader, ['a', 'EUR'])).toEqual({ id: 'a in EUR' });
    expect(await getProduct.invalidate('a', 'EUR')).toBe(true);
    expect(await getProduct.invalidate('a', 'EUR')).toBe(false);
    await getProduct('a', 'EUR');
    expect(calls).toHaveLength(2);
  });

  test('fails as its function does', async () => {
    const down = new Error('origin is down');
    const cache = await openCache({});
    const fail = cache.wrap(
      async (_id: string): Promise<string> => {
        throw down;
      },
      { name: 'fail', ttl: '1m' },
    );

    await expect(fail('a')).rejects.toMatchObject({ code: 'LOADER_FAILED', cause: down });
  });

  test('rejects arguments that are no JSON data, and calls of a closed cache', async () => {
    const { calls } = origin();
    const cache = await openCache({});
    const since = cache.wrap(async (date: Date) => date.getTime(), { name: 'since', ttl: '1m' });

    await expect(since(new Date(0))).rejects.toBeInstanceOf(InvalidKeyError);
    await cache.close();
    await expect(since(new Date(0))).rejects.toBeInstanceOf(Error);
    const late = () => cache.wrap(async () => 1, { name: 'late', ttl: '1m' });
    expect(late).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(calls).toEqual([]);
  });

  test('takes the other options of a loader', async () => {
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace });
    const price = async (_id: string) => ({ price: 1 });
    const options = { name: 'price', ttl: '1m', version: 2, staleIfError: 0 } as const;
    const getPrice = cache.wrap(price, { ...options, schema: priceSchema, validateOnRead: true });
    const bytes = entryBytes({ price: 'free' });
    await connect().set(entryKey(namespace, getPrice.loader, 'a'), bytes, 'PX', 60_000);
    const mismatches = recorded(cache, 'schema:mismatched');

    expect(getPrice.loader).toMatchObject({ version: 2, staleIfErrorMs: 0 });
    expect(await getPrice('a')).toEqual({ price: 1 });
    expect(mismatches).toMatchObject([{ loader: 'price', key: 'a', at: 'read' }]);
  });

  test('is refreshed ahead by a worker of the same process', async () => {
    const namespace = uniqueNamespace();
    const { product, calls } = origin();
    const cache = await openCache({ namespace, flushInterval: 100 });
    const options = { threshold: 1, minLead: '500ms' } as const;
    const getProduct = cache.wrap(product, { name: 'product', ttl: '1s', refresh: options });
    const roles = { redis: redisUrl(), namespace, loaders: [getProduct.loader] };
    const { worker } = await startRefreshers(roles);
    const refreshed = nextEvent(worker, 'refresh:completed');

    for (let read = 0; read < 20; read++) await getProduct('a', 'EUR');

    expect(await refreshed).toMatchObject({ loader: 'product', key: '["a","EUR"]' });
    expect(calls).toEqual([
      ['a', 'EUR'],
      ['a', 'EUR'],
    ]);
  });
});

test('a loader that is never refreshed is no work for a scheduler', async () => {
  const namespace = uniqueNamespace();
  const load = async (id: string) => id;
  const off = defineLoader({ name: 'off', ttl: '1s', load, refresh: false });
  const on = defineLoader({ name: 'on', ttl: '1s', load });
  const scheduler = createScheduler({ redis: redisUrl(), namespace, loaders: [off, on] });
  onTestFinished(() => scheduler.close());
  const ticks = recorded(scheduler, 'tick:completed');

  await expect.poll(() => ticks.length).toBeGreaterThan(4);
  expect(ticks.filter(({ loader }) => loader === 'off')).toEqual([]);
});

test.for<[string, object, string]>([
  ['without a ttl', {}, '`loader "x": ttl` (undefined) must be a duration'],
  [
    'with the name of another',
    { name: 'taken', ttl: 1_000 },
    '`loader.name` ("taken") is the name',
  ],
  ['with a key that is text', { ttl: 1_000, key: 'id' }, '`"x": key` ("id") must be a function'],
  ['with args and no key', { ttl: 1_000, args: Array.of }, '`"x": args` (a function) needs `key`'],
  [
    'with a refresh that cannot be',
    { ttl: 1_000, key: String, refresh: { threshold: 1 } },
    '`"x": refresh` (an object of type Object) needs `args` where there is a `key`',
  ],
])('wrap %s is refused', async ([, options, message]) => {
  const cache = await openCache({});
  cache.wrap(async () => 1, { name: 'taken', ttl: '1m' });

  const wrapping = () =>
    cache.wrap(async () => 1, { name: 'x', ttl: undefined as never, ...options });

  expect(wrapping).toThrow(InvalidOptionError);
  expect(wrapping).toThrow(message);
});
