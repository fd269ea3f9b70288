import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { entryKey, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

let namespace: string;
let loads: { id: string; reason: string; atMs: number }[];
let answer: string | null | undefined;
beforeEach(() => {
  namespace = uniqueNamespace();
  loads = [];
  answer = undefined;
});

type Value = string | null | undefined;

function finding(more: Partial<Parameters<typeof defineLoader<string, Value>>[0]> = {}) {
  return defineLoader<string, Value>({
    name: 'item',
    ttl: '1m',
    refresh: { threshold: 2 },
    load: async (id, { reason }) => {
      loads.push({ id, reason, atMs: Date.now() });
      return answer;
    },
    ...more,
  });
}

describe('nothing found', () => {
  test('is not stored without a ttl for that: each read asks the origin', async () => {
    const item = finding();
    const cache = await openCache({ namespace, loaders: [item] });

    for (let read = 0; read < 3; read++) {
      expect(await cache.getWithMeta(item, 'a')).toMatchObject({
        value: undefined,
        state: 'uncached',
      });
    }
    expect(loads).toHaveLength(3);
    expect(await connect().exists(entryKey(namespace, item, 'a'))).toBe(0);
  });

  test('is stored for notFoundTtl, for get, getMany and other caches, then asked again', async () => {
    const item = finding({ notFoundTtl: 1_000 });
    const cache = await openCache({ namespace, loaders: [item] });
    const other = await openCache({ namespace, loaders: [item] });

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: undefined, state: 'fresh' });
    const meta = await other.getWithMeta(item, 'a');
    expect(meta).toMatchObject({ value: undefined, state: 'fresh', source: 'redis' });
    expect(meta.ttlMs).toBeLessThanOrEqual(1_000);
    expect(await other.getMany(item, ['a', 'a'])).toEqual([undefined, undefined]);
    expect(loads).toHaveLength(1);
    answer = 'here now';
    await expect.poll(() => cache.get(item, 'a')).toBe('here now');
    expect((await cache.getWithMeta(item, 'a')).ttlMs).toBeGreaterThan(50_000);
  });

  test('is kept in memory too', async () => {
    const item = finding({ notFoundTtl: '1m', memory: { maxEntries: 10 } });
    const cache = await openCache({ namespace, loaders: [item] });
    await cache.get(item, 'a');
    await cache.get(item, 'a');

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({
      value: undefined,
      source: 'memory',
    });
    expect(await cache.getMany(item, ['a'])).toEqual([undefined]);
    expect(loads).toHaveLength(1);
  });

  test('is replaced by a set, and removed by an invalidation', async () => {
    const item = finding({ notFoundTtl: '1m' });
    const cache = await openCache({ namespace, loaders: [item] });
    await cache.get(item, 'a');

    await cache.set(item, 'a', 'set');
    expect(await cache.get(item, 'a')).toBe('set');
    await cache.invalidate(item, 'a');
    expect(await cache.get(item, 'a')).toBeUndefined();
    expect(await cache.invalidate(item, 'a')).toBe(true);
    expect(loads).toHaveLength(2);
  });

  test('removes a value that was there, at the next load', async () => {
    const item = finding({ notFoundTtl: '1m' });
    const cache = await openCache({ namespace, loaders: [item] });
    await cache.set(item, 'a', 'was there');
    await cache.invalidate(item, 'a', { soft: true });
    const loaded = nextEvent(cache, 'load:completed');

    expect(await cache.get(item, 'a')).toBe('was there');
    await loaded;
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: undefined, state: 'fresh' });
  });

  test('is not null, which is a value', async () => {
    answer = null;
    const item = finding({ notFoundTtl: 200 });
    const cache = await openCache({ namespace, loaders: [item] });

    expect((await cache.getWithMeta(item, 'a')).ttlMs).toBeGreaterThan(50_000);
    expect(await cache.get(item, 'a')).toBeNull();
  });
});

/** Worker, scheduler and a steady reader of one key. */
async function keepReading(item: Loader<string, Value>) {
  const roles = { redis: redisUrl(), namespace, loaders: [item] };
  const cache = await openCache({ namespace, loaders: [item] });
  const { worker } = await startRefreshers(roles);
  const stop = readSteadily(cache, item);
  return { worker, stop };
}

function readSteadily(cache: Cache, item: Loader<string, Value>): () => number {
  let waits = 0;
  const reads = setInterval(() => {
    void cache.getWithMeta(item, 'hot').then(({ source }) => {
      if (source === 'loader') waits++;
    });
  }, 20);
  onTestFinished(() => clearInterval(reads));
  return () => {
    clearInterval(reads);
    return waits;
  };
}

describe('a hot key', () => {
  test('that is not found, with notFoundTtl, is refreshed about once in each such life', async () => {
    const item = finding({ ttl: '1m', notFoundTtl: '2s' });
    const { worker, stop } = await keepReading(item);
    const refreshed = recorded(worker, 'refresh:completed');

    await expect.poll(() => refreshed.length, { timeout: 15_000 }).toBe(4);

    stop();
    const times = loads.map(({ atMs }) => atMs);
    const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
    // A life is 2 s; each is cut short by lead and spread, by less than half of it.
    expect(spanMs / (loads.length - 1)).toBeGreaterThan(1_000);
    expect(spanMs / (loads.length - 1)).toBeLessThanOrEqual(2_100);
  }, 20_000);

  test('that is not found, without it, is looked for by its readers, and tracked no more', async () => {
    const item = finding({ ttl: '1s' });
    answer = 'here';
    const { worker, stop } = await keepReading(item);
    await nextEvent(worker, 'refresh:completed');
    const skipped = nextEvent(worker, 'refresh:skipped', ({ why }) => why === 'not-found');
    answer = undefined;
    await skipped;
    stop();

    const { due } = new Keys(namespace).tracker(item, 4 * item.ttlMs);
    await expect.poll(() => connect().zscore(due, 'hot')).toBeNull();
  }, 20_000);

  test('of a short ttl of its own is refreshed once in each life, one of a long ttl not at all', async () => {
    const item = finding({
      ttl: (value: Value) => (value === 'short' ? 2_000 : '1h'),
      nominalTtl: '10s',
    } as never);
    answer = 'short';
    const { worker, stop } = await keepReading(item);
    const refreshed = recorded(worker, 'refresh:completed');
    await expect.poll(() => refreshed.length, { timeout: 15_000 }).toBe(3);
    answer = 'long';
    const shortLoads = loads.length;
    await expect.poll(() => refreshed.length, { timeout: 5_000 }).toBe(4);
    const times = loads.map(({ atMs }) => atMs);
    const spanMs = (times[shortLoads - 1] ?? 0) - (times[0] ?? 0);
    expect(spanMs / (shortLoads - 1)).toBeGreaterThan(1_000);

    // First looked at after half its own life; by the nominal ttl it would be 5 s before its end.
    const { due } = new Keys(namespace).tracker(item, 4 * item.ttlMs);
    const dueInMs = async () => Number(await connect().zscore(due, 'hot')) - Date.now();
    await expect.poll(dueInMs).toBeGreaterThan(1_000_000);
    expect(await dueInMs()).toBeLessThan(1_900_000);
    stop();
  }, 30_000);
});
