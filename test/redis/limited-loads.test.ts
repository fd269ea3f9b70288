import { describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import {
  commandCalls,
  entryBytes,
  entryKey,
  nextEvent,
  openCache,
  ownServer,
  recorded,
} from '../helpers/cache.ts';
import { limited } from '../helpers/limited-loader.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

/** Puts an entry in place that expired long ago and may still be served. */
async function plantStale(namespace: string, loader: Loader<string, string>, key: string) {
  const expiresAtMs = Date.now() - 1;
  const bytes = entryBytes('stale', { createdAtMs: expiresAtMs - loader.ttlMs, expiresAtMs });
  await connect().set(entryKey(namespace, loader, key), bytes);
}

describe('a read of a loader at its limit', () => {
  test('waits for its permit, which is no part of its load time and its timeout', async () => {
    const { loader, calls } = limited({ perMs: 500, loadTimeoutMs: 600, loadMs: 300 });
    const cache = await openCache({ loaders: [loader] });
    const loads = recorded(cache, 'load:completed');

    const values = await Promise.all([cache.get(loader, 'a'), cache.get(loader, 'b')]);

    expect(values.sort()).toEqual(['a 1', 'b 2']);
    expect((calls[1]?.atMs ?? 0) - (calls[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(499);
    for (const { loadMs } of loads) expect(loadMs).toBeLessThan(490);
    expect(loads).toHaveLength(2);
  });

  test('takes one permit for all readers of a key, in one process and in others', async () => {
    const server = await ownServer();
    const { loader, calls } = limited();
    const options = { redis: server.url, namespace: uniqueNamespace(), loaders: [loader] };
    const caches = [await openCache(options), await openCache(options)];
    await caches[0]?.get(loader, 'first');
    const reads = caches.flatMap((cache) => [cache.get(loader, 'a'), cache.get(loader, 'a')]);
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['a 2']));
    expect(calls).toHaveLength(2);
    expect((await commandCalls(connect(server.url))).lindex).toBe(2);
  });

  test('takes one permit for all misses of a getMany by loadMany', async () => {
    const { many, calls } = limited({ perMs: 60_000 });
    const cache = await openCache({ loaders: [many] });
    expect(await cache.getMany(many, ['a', 'b', 'c'])).toEqual(['a 1', 'b 1', 'c 1']);
    expect(calls).toHaveLength(1);
  });

  test('fails when none is to be had within loadTimeout, and says when there will be one', async () => {
    const { loader, calls } = limited({ perMs: 60_000, loadTimeoutMs: 300 });
    const cache = await openCache({ loaders: [loader] });
    await cache.get(loader, 'a');
    const failed = nextEvent(cache, 'load:failed');

    const refusal = await cache.get(loader, 'b').catch((error: Error) => error);

    expect(refusal).toMatchObject({ name: 'LoaderError', code: 'RATE_LIMITED' });
    expect((refusal as Error).message).toMatch(
      /^loader "item" was not called for key b: its limit is 1 calls per 60000 ms, retry after (59|60)\d{3} ms$/,
    );
    expect(await failed).toMatchObject({ key: 'b', reason: 'miss', error: refusal });
    expect(calls).toHaveLength(1);
    await expect(cache.getMany(loader, ['b'])).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('gets the stale value at once if there is one', async () => {
    const namespace = uniqueNamespace();
    const { loader, many, calls } = limited({ perMs: 10_000 });
    await plantStale(namespace, loader, 'b');
    const cache = await openCache({ namespace, loaders: [loader] });
    await cache.get(loader, 'a');

    const startedAtMs = performance.now();
    const stale = { value: 'stale', source: 'redis', state: 'stale' };
    expect(await cache.getWithMeta(loader, 'b')).toMatchObject(stale);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    const other = await openCache({ namespace, loaders: [many] });
    await plantStale(namespace, many, 'c');
    expect(await other.getMany(many, ['b', 'c'])).toEqual(['stale', 'stale']);
    expect(calls).toHaveLength(1);
  });

  test('leaves no lock behind', async () => {
    const namespace = uniqueNamespace();
    const { loader } = limited({ perMs: 60_000, loadTimeoutMs: 100 });
    const cache = await openCache({ namespace, loaders: [loader] });
    await cache.get(loader, 'a');
    await expect(cache.get(loader, 'b')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(await connect().exists(`${entryKey(namespace, loader, 'b')}:lock`)).toBe(0);
  });
});

describe('a wait for a permit', () => {
  /** A cache whose read of `b` waits for its permit. */
  async function waiting(): Promise<{
    cache: Cache;
    loader: Loader<string, string>;
    calls: readonly unknown[];
    read: Promise<string>;
  }> {
    const { loader, calls } = limited({ perMs: 20_000 });
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [loader] });
    await cache.get(loader, 'a');
    const read = cache.get(loader, 'b');
    read.catch(() => undefined);
    const redis = connect();
    const { grants } = new Keys(namespace).limit(loader, { max: 1, perMs: 20_000 });
    const aheadUs = (Date.now() + 5_000) * 1_000;
    await expect.poll(async () => Number(await redis.lindex(grants, -1))).toBeGreaterThan(aheadUs);
    return { cache, loader, calls, read };
  }

  test('ends when the cache closes, and calls no loader', async () => {
    const { cache, calls, read } = await waiting();
    const startedAtMs = performance.now();
    await cache.close();
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    await expect(read).rejects.toMatchObject({ code: 'CLOSED' });
    expect(calls).toHaveLength(1);
  });

  test('without a lock ends too when the cache closes', async () => {
    const server = await ownServer();
    const { loader, calls } = limited({ perMs: 20_000 });
    const cache = await openCache({ redis: server.url, loaders: [loader] });
    await server.close();
    expect(await cache.get(loader, 'a')).toBe('a 1');
    const read = cache.get(loader, 'b');
    const refused = expect(read).rejects.toMatchObject({ code: 'CLOSED' });
    await cache.close();
    await refused;
    expect(calls).toHaveLength(1);
  });

  test('ends when the lock is taken away by a set, whose value is read', async () => {
    const { cache, loader, calls, read } = await waiting();
    await cache.set(loader, 'b', 'set');
    expect(await cache.get(loader, 'b')).toBe('set');
    expect(await read).toBe('set');
    expect(calls).toHaveLength(1);
  });
});

test('a loader without a limit takes no permits', async () => {
  const server = await ownServer();
  const loader = defineLoader({ name: 'free', ttl: '1m', load: async (id: string) => id });
  const cache = await openCache({ redis: server.url, loaders: [loader] });
  await cache.get(loader, 'a');
  expect(await commandCalls(connect(server.url))).not.toHaveProperty('lindex');
});
