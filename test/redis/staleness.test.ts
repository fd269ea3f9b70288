import { describe, expect, test } from 'vitest';
import {
  commandCalls,
  entryBytes,
  entryKey,
  nextEvent,
  openCache,
  ownServer,
  recorded,
} from '../helpers/cache.ts';
import {
  eachWithLoads,
  gated,
  held,
  loads,
  namespace,
  type Options,
  old,
  open,
  plantExpired,
  why,
} from '../helpers/expired.ts';
import { connect } from '../helpers/redis.ts';

eachWithLoads();

describe('an expired value within staleWhileRevalidate', () => {
  test('is answered at once, to all, while one load runs; then the new one is', async () => {
    const item = gated({ staleWhileRevalidate: '10s' });
    await plantExpired(item, 1_000);
    const cache = await open(item);
    const served = recorded(cache, 'stale:served');
    const missed = recorded(cache, 'entry:missed');
    const loaded = nextEvent(cache, 'load:completed');

    const metas = await Promise.all(
      Array.from({ length: 100 }, () => cache.getWithMeta(item, 'a')),
    );

    for (const meta of metas) expect(meta).toMatchObject(old('revalidating'));
    await expect.poll(() => loads).toEqual(['a']);
    held.open();
    expect(await loaded).toMatchObject({ reason: 'refresh', stored: true });
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', state: 'fresh' });
    expect(why(served)).toEqual(Array(100).fill('revalidating'));
    expect(missed).toEqual([]);
    expect(loads).toEqual(['a']);
  });

  test('is loaded once in the fleet, for get and getMany alike', async () => {
    const item = gated({ staleWhileRevalidate: '10s' });
    await plantExpired(item, 1_000);
    await plantExpired(item, 1_000, { key: 'b' });
    const caches = await Promise.all([open(item), open(item), open(item)]);
    const served = caches.map((cache) => recorded(cache, 'stale:served'));
    const completed = caches.map((cache) => recorded(cache, 'load:completed'));

    await Promise.all(caches.map((cache) => cache.get(item, 'a')));
    await Promise.all(caches.map((cache) => cache.getMany(item, ['a', 'b', 'a'])));
    await expect.poll(() => [...loads].sort()).toEqual(['a', 'b']);
    held.open();
    await expect.poll(() => completed.flat()).toHaveLength(2);

    expect(await Promise.all(caches.map((cache) => cache.get(item, 'a')))).toEqual(
      Array(3).fill('a new'),
    );
    // Of each cache: one get, and a getMany that reads each key once.
    expect(served.map((events) => events.map(({ key }) => key).sort())).toEqual(
      Array(3).fill(['a', 'a', 'b']),
    );
    expect([...loads].sort()).toEqual(['a', 'b']);
  });

  test('is loaded at most 8 at a time in a process; the others are answered all the same', async () => {
    const item = gated({ staleWhileRevalidate: '30s' });
    const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
    for (const key of keys) await plantExpired(item, 1_000, { key });
    const cache = await open(item);

    const values = await cache.getMany(item, keys);
    expect(values).toEqual(keys.map((key) => `${key} old`));
    await expect.poll(() => loads.length).toBe(8);
    await cache.getMany(item, keys);

    expect(loads).toEqual(keys.slice(0, 8));
    held.open();
  });

  test('goes on being answered while its loads fail, which the fleet tries once a second', async () => {
    const item = gated({ staleWhileRevalidate: '30s' }, { isDown: true });
    await plantExpired(item, 1_000);
    const caches = await Promise.all([open(item), open(item), open(item)]);
    const failed = caches.map((cache) => recorded(cache, 'load:failed'));
    held.open();

    const [first] = caches;
    expect(await first?.getWithMeta(item, 'a')).toMatchObject(old('revalidating'));
    await expect.poll(() => failed.flat()).toMatchObject([{ reason: 'refresh' }]);
    for (const cache of caches) expect(await cache.get(item, 'a')).toBe('a old');
    // A read after the questions for the lock, on the same connections.
    for (const cache of caches) expect(await cache.get(item, 'a')).toBe('a old');
    expect(loads).toEqual(['a']);

    const again = async (): Promise<number> => {
      await Promise.all(caches.map((cache) => cache.get(item, 'a')));
      return loads.length;
    };
    await expect.poll(again, { timeout: 5_000 }).toBe(2);
  });

  test('asks for its lock once a second, however often it is read while another holds that', async () => {
    const { url } = await ownServer();
    const item = gated({ staleWhileRevalidate: '30s' });
    const observer = connect(url);
    const bytes = entryBytes('a old', { expiresAtMs: Date.now() - 1_000 });
    const key = entryKey(namespace, item, 'a');
    await observer.set(key, bytes, 'PX', 60_000);
    await observer.set(`${key}:lock`, 'another', 'PX', 60_000);
    const cache = await openCache({ redis: url, namespace, flushInterval: '1m', loaders: [item] });
    const startedAtMs = Date.now();
    for (let read = 0; read < 200; read++) expect(await cache.get(item, 'a')).toBe('a old');
    const seconds = Math.ceil((Date.now() - startedAtMs) / 1_000);

    const { evalsha = 0, eval: evals = 0, pttl = 0 } = await commandCalls(observer);
    expect(pttl).toBeGreaterThan(0); // The script's answer to who does not get the lock.
    expect(pttl).toBeLessThanOrEqual(seconds + 5); // Other scripts ask it too.
    expect(evalsha + evals).toBeLessThan(20);
  });

  test('is no answer any more once that time is over: the reader waits for the load', async () => {
    const item = gated({ staleWhileRevalidate: '1s', staleIfError: '30s' });
    await plantExpired(item, 1_001);
    const cache = await open(item);
    held.open();

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', source: 'loader' });
  });
});

describe('a softly invalidated value', () => {
  const soft = { invalidated: true };

  test.for<[string, number, Options]>([
    ['before its expiry', -30_000, {}],
    ['after it, within staleWhileRevalidate', 1_000, { staleWhileRevalidate: '10s' }],
  ])('%s is answered at once while one load runs', async ([, agoMs, options]) => {
    const item = gated(options);
    await plantExpired(item, agoMs, soft);
    const cache = await open(item);
    const loaded = nextEvent(cache, 'load:completed');

    for (let read = 0; read < 5; read++) {
      expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('invalidated'));
    }
    await expect.poll(() => loads).toEqual(['a']);
    held.open();
    await loaded;

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', state: 'fresh' });
    expect(loads).toEqual(['a']);
  });

  test('after its expiry answers only for a load that fails, within staleIfError', async () => {
    const origin = { isDown: true };
    const item = gated({ staleIfError: '10s' }, origin);
    held.open();
    await plantExpired(item, 1_000, soft);
    const cache = await open(item);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('load-failed'));
    await plantExpired(item, 10_001, soft);
    await expect(cache.get(item, 'a')).rejects.toMatchObject({ code: 'LOADER_FAILED' });
    origin.isDown = false;
    await plantExpired(item, 1_000, soft);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', state: 'fresh' });
  });

  test('of a loader without refreshes is a miss that it may stand in for', async () => {
    const item = gated({ refresh: false }, { isDown: true });
    held.open();
    await plantExpired(item, -30_000, soft);
    const cache = await open(item);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('load-failed'));
  });
});
