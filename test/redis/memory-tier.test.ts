import { describe, expect, onTestFinished, test } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { halfLifeMs, recentReads } from '../../src/policy/heat.ts';
import { Keys } from '../../src/redis/keys.ts';
import { commandCalls, entryKey, gate, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { HELD_LONG, hearing, held, heldItem } from '../helpers/memory.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';
import { schemaOf } from '../helpers/schemas.ts';

const TTL_MS = 600_000;

describe('a hit in memory', () => {
  test('asks Redis nothing', async () => {
    const { url } = await ownServer();
    const redis = connect(url);
    const { loader } = heldItem();
    const cache = await openCache({
      redis: url,
      namespace: 'ns',
      loaders: [loader],
      recording: false,
    });
    await hearing(redis, 'ns');
    await held(cache, loader, 'a');
    const before = await commandCalls(redis);

    for (let reads = 0; reads < 1_000; reads++) await cache.get(loader, 'a');
    await cache.getMany(loader, ['a', 'a']);

    const after = await commandCalls(redis);
    // Its connections' own signs of life apart.
    for (const calls of [before, after])
      for (const name of ['info', 'ping', 'time']) delete calls[name];
    expect(after).toEqual(before);
  });

  test('counts as heat', async () => {
    const namespace = uniqueNamespace();
    const redis = connect();
    const { loader } = heldItem();
    const cache = await openCache({ namespace, loaders: [loader], flushInterval: 100 });
    await hearing(redis, namespace);
    await held(cache, loader, 'a');

    const { heat } = new Keys(namespace).tracker(loader, halfLifeMs(TTL_MS));
    const reads = async (): Promise<number> => {
      const score = Number(await redis.zscore(heat, 'a'));
      return recentReads(score, { nowMs: Date.now(), halfLifeMs: halfLifeMs(TTL_MS) });
    };
    for (let n = 0; n < 500; n++) await cache.get(loader, 'a');
    await expect.poll(reads).toBeGreaterThan(499);
    await cache.getMany(
      loader,
      Array.from({ length: 100 }, () => 'a'),
    );
    await cache.getWithMeta(loader, 'a');
    await expect.poll(reads).toBeGreaterThan(598);
  });

  test('keeps its key being refreshed, in life after life', { timeout: 40_000 }, async () => {
    const namespace = uniqueNamespace();
    let loads = 0;
    const loader = defineLoader({
      name: 'item',
      ttl: 2_000,
      refresh: { minLead: '1s' },
      memory: { maxEntries: 10, ttl: '10s' },
      load: async (_id: string) => ++loads,
    });
    const options = { redis: redisUrl(), namespace, loaders: [loader] };
    const cache = await openCache({ namespace, loaders: [loader] });
    const { worker } = await startRefreshers(options);
    const refreshed = recorded(worker, 'refresh:completed');
    const hits = recorded(cache, 'entry:hit');
    const missed = recorded(cache, 'entry:missed');
    const reads = setInterval(() => void cache.get(loader, 'a'), 10);
    onTestFinished(() => clearInterval(reads));

    await expect.poll(() => refreshed.length, { timeout: 30_000 }).toBeGreaterThan(3);
    const inMemory = hits.filter(({ source }) => source === 'memory');
    expect(inMemory.length).toBeGreaterThan(hits.length / 2);
    // Before the key was known to be hot.
    expect(missed.length).toBeLessThan(refreshed.length);
  });

  test('is told as such', async () => {
    const { loader } = heldItem();
    const cache = await openCache({ loaders: [loader] });
    await held(cache, loader, 'a');
    const hits = recorded(cache, 'entry:hit');

    const meta = await cache.getWithMeta(loader, 'a');

    expect(meta).toMatchObject({ value: 'old', source: 'memory', state: 'fresh' });
    expect(meta.ttlMs).toBeGreaterThan(TTL_MS - 15_000);
    expect(hits).toEqual([{ loader: 'item', key: 'a', source: 'memory' }]);
  });
});

describe('the tier', () => {
  test('is off unless it is asked for, and may be refused by a loader', async () => {
    const off = defineLoader({ name: 'off', ttl: '10m', load: async (id: string) => id });
    const load = async (id: string): Promise<string> => id;
    const refused = defineLoader({ name: 'refused', ttl: '10m', memory: false, load });
    const without = await openCache({ loaders: [off] });
    const withIt = await openCache({ loaders: [refused], memory: HELD_LONG });
    for (let reads = 0; reads < 5; reads++) {
      expect((await without.getWithMeta(off, 'a')).source).not.toBe('memory');
      expect((await withIt.getWithMeta(refused, 'a')).source).not.toBe('memory');
    }
  });

  test('is also for loaders that are added later', async () => {
    const namespace = uniqueNamespace();
    const { loader, origin } = heldItem();
    const [one, other] = [
      await openCache({ namespace, memory: HELD_LONG }),
      await openCache({ namespace }),
    ];
    await hearing(connect(), namespace, 2);
    for (const cache of [one, other]) cache.addLoader(loader);
    expect(await held(one, loader, 'a')).toBe('old');

    origin.value = 'new';
    await other.invalidate(loader, 'a');
    await expect.poll(() => one.get(loader, 'a')).toBe('new');
  });

  test('answers many keys together with Redis and the loader, in their order', async () => {
    const namespace = uniqueNamespace();
    const loader = defineLoader({
      name: 'item',
      ttl: '10m',
      memory: HELD_LONG,
      load: async (id: string) => `${id}!`,
    });
    const [cache, other] = [
      await openCache({ namespace, loaders: [loader] }),
      await openCache({ namespace, loaders: [loader] }),
    ];
    await hearing(connect(), namespace, 2);
    await other.get(loader, 'in redis');
    await held(cache, loader, 'in memory');
    const hits = recorded(cache, 'entry:hit');
    const missed = recorded(cache, 'entry:missed');

    const keys = ['nowhere', 'in memory', 'in redis', 'in memory'];
    expect(await cache.getMany(loader, keys)).toEqual(keys.map((key) => `${key}!`));

    expect(hits.map(({ key, source }) => `${key}: ${source}`)).toEqual([
      'in memory: memory',
      'in memory: memory',
      'in redis: redis',
    ]);
    expect(missed.map(({ key }) => key)).toEqual(['nowhere']);
  });

  test('holds that there is nothing, where nothing is cached', async () => {
    const loader = defineLoader({
      name: 'item',
      ttl: '10m',
      notFoundTtl: '1m',
      memory: HELD_LONG,
      load: async (_id: string): Promise<string | undefined> => undefined,
    });
    const cache = await openCache({ loaders: [loader] });
    expect(await held(cache, loader, 'a')).toBeUndefined();
  });
});

test('what this process has loaded is not followed by an older copy that was made meanwhile', async () => {
  const namespace = uniqueNamespace();
  const { opened, open } = gate();
  const origin = { value: 'old' };
  let checksOfOld = 0;
  const loader = defineLoader({
    name: 'item',
    ttl: '10m',
    memory: HELD_LONG,
    schema: schemaOf<string>(async (value) => {
      if (value === 'old' && ++checksOfOld === 2) await opened;
      return { value: String(value) };
    }),
    validateOnRead: true,
    load: async (_id: string) => origin.value,
  });
  const cache = await openCache({ namespace, loaders: [loader] });
  const redis = connect();
  await hearing(redis, namespace);
  // Loaded by another process: this one has no copy yet.
  await (await openCache({ namespace, loaders: [loader] })).get(loader, 'a');

  // A read has found the old value and is slow; then that goes, and nobody tells this process.
  const slow = cache.get(loader, 'a');
  await expect.poll(() => checksOfOld, { interval: 1 }).toBe(2);
  await redis.del(entryKey(namespace, loader, 'a'));
  origin.value = 'new';
  expect(await cache.get(loader, 'a')).toBe('new');

  open();
  expect(await slow).toBe('old');
  expect(await cache.get(loader, 'a')).toBe('new');
});

describe('a value in memory', () => {
  const value = { list: [{ n: 1 }], bytes: Buffer.from('abc') };
  const loaderOf = (sharing: object) =>
    defineLoader({
      name: 'item',
      ttl: '10m',
      memory: { ...HELD_LONG, ...sharing },
      load: async (_id: string) => value,
    });

  test('throws a TypeError when it is changed, by default outside production', async () => {
    const loader = loaderOf({});
    const cache = await openCache({ loaders: [loader] });
    const first = await held(cache, loader, 'a');
    expect(() => first.list.push({ n: 2 })).toThrow(TypeError);
    expect(() => {
      first.bytes = Buffer.alloc(0);
    }).toThrow(TypeError);
    expect(await cache.get(loader, 'a')).toBe(first);
  });

  test('is a copy for each reader, as Redis would give it', async () => {
    const loader = loaderOf({ clone: true });
    const cache = await openCache({ loaders: [loader] });
    const first = await held(cache, loader, 'a');
    expect(first).toStrictEqual(value);
    expect(first.bytes.toString()).toBe('abc');
    first.list.length = 0;
    first.bytes.fill('x');
    expect(await cache.get(loader, 'a')).toStrictEqual(value);
  });

  test('is shared as it is with freeze: false', async () => {
    const loader = loaderOf({ freeze: false });
    const cache = await openCache({ loaders: [loader] });
    const first = await held(cache, loader, 'a');
    expect(Object.isFrozen(first)).toBe(false);
    expect(await cache.get(loader, 'a')).toBe(first);
  });
});

test('what this process has loaded is answered from memory at once; a copy of unknown size is not kept', async () => {
  const loaderOf = (memory: { maxEntries: number } | { maxBytes: number }) =>
    defineLoader({ name: 'item', ttl: '10m', memory, load: async (id: string) => id });
  const counted = loaderOf({ maxEntries: 10 });
  const sized = loaderOf({ maxBytes: 10_000 });
  const byCount = await openCache({ loaders: [counted] });
  const bySize = await openCache({ loaders: [sized] });

  await byCount.get(counted, 'a');
  await bySize.get(sized, 'a');
  expect((await byCount.getWithMeta(counted, 'a')).source).toBe('memory');
  expect((await bySize.getWithMeta(sized, 'a')).source).toBe('redis');
  expect((await bySize.getWithMeta(sized, 'a')).source).toBe('memory');
});
