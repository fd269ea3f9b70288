import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { processClock } from '../../src/core/clock.ts';
import { Glob } from '../../src/core/glob.ts';
import { defineLoader } from '../../src/index.ts';
import { EntryScan } from '../../src/redis/entry-scan.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { type EntryName, Keys } from '../../src/redis/keys.ts';
import { commandCalls, entryBytes, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const ALL = { loader: null, version: null, glob: null };
const LOADS = 3_000;
/** Of more than one batch of a scan. */
const MANY = 2_000;

function echo(name: string) {
  return defineLoader({
    name,
    ttl: '10m',
    load: async (id: string) => id,
    loadMany: async (ids) => ids,
  });
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `k${at}`);

/** Loads in flight, of which those commit that the scan has not come to when it has its first batch. */
async function survivors(how: { readonly passes?: number } = {}): Promise<number> {
  const server = await ownServer();
  const redis = connect(server.url);
  const store = new EntryStore(redis);
  const keys = new Keys('ns');
  const loads = numbered(LOADS).map((key) => keys.named('item', 1, key));
  const request = { token: 't', lockTtlMs: 60_000, seenCreatedAtMs: 0, waitingSinceMs: 0 };
  await Promise.all(loads.map((load) => store.acquire(load, request)));
  const stored = { bytes: entryBytes('from before'), lifeMs: 60_000 };

  let isFirst = true;
  const scan = new EntryScan({ client: redis, keys, clock: processClock, ...how });
  await scan.run(ALL, async (found: readonly EntryName[]) => {
    const isFound = new Set(found.map(({ key }) => key));
    const unseen = loads.filter(({ key }) => isFirst && !isFound.has(key));
    isFirst = false;
    await Promise.all(unseen.map((load) => store.commit(load, 't', stored)));
    await Promise.all(found.map((place) => store.invalidate(place)));
  });
  await Promise.all(loads.map((load) => store.commit(load, 't', stored)));
  return redis.dbsize();
}

describe('a scan while loads commit', () => {
  test('leaves none of what they write with its two passes', async () => {
    expect(await survivors()).toBe(0);
  });

  test('would leave some with one pass', async () => {
    expect(await survivors({ passes: 1 })).toBeGreaterThan(0);
  });
});

describe('invalidating thousands of keys', () => {
  test.for([
    ['loader', MANY],
    ['pattern', 1_111],
    ['namespace', MANY + 1],
  ] as const)('by %s answers how many there were, and takes no other', async ([kind, count]) => {
    const server = await ownServer();
    const namespace = uniqueNamespace();
    const [item, other] = [echo('item'), echo('item-2')];
    const options = { redis: server.url, loaders: [item, other], readTimeout: 5_000 }; // on a busy machine, too
    const cache = await openCache({ ...options, namespace });
    const stranger = await openCache({ redis: server.url, loaders: [item] });
    const completed = recorded(cache, 'invalidation:completed');
    await cache.getMany(item, numbered(MANY));
    await Promise.all([cache.get(other, 'k1'), stranger.get(item, 'k1')]);

    const calls = {
      loader: () => cache.invalidateLoader(item),
      pattern: () => cache.invalidatePattern(item, 'k1*'),
      namespace: () => cache.invalidateNamespace({ confirm: true }),
    };
    expect(await calls[kind]()).toBe(count);
    expect(await calls[kind]()).toBe(0);

    const loader = kind === 'namespace' ? null : 'item';
    expect(completed).toEqual([
      { kind, loader, soft: false, count },
      { kind, loader, soft: false, count: 0 },
    ]);
    expect((await stranger.getWithMeta(item, 'k1')).source).toBe('redis');
    const isOtherKept = kind !== 'namespace';
    expect((await cache.getWithMeta(other, 'k1')).source).toBe(isOtherKept ? 'redis' : 'loader');
    const used = await commandCalls(connect(server.url));
    expect(used).not.toHaveProperty('keys');
    expect(used.unlink).toBeGreaterThanOrEqual(count);
  });

  test('marks each once, however often a scan comes by', async () => {
    const item = echo('item');
    const cache = await openCache({ loaders: [item] });
    await cache.getMany(item, numbered(1_000));

    expect(await cache.invalidateLoader(item, { soft: true })).toBe(1_000);
    expect(await cache.invalidateLoader(item, { soft: true })).toBe(0);
    expect(await cache.invalidateLoader(item)).toBe(1_000);
  });
});

const AWKWARD = ['{a}', 'a}:lock', '100%', '%7Ba%7D', 'a*b', 'a?b', 'a[1]', 'a\\b', 'a-b', 'é😀'];

describe('a pattern', () => {
  test.each(AWKWARD)(
    'takes the key %j alone, when its special characters are escaped',
    async (key) => {
      const item = echo('item');
      const cache = await openCache({ loaders: [item] });
      await cache.getMany(item, AWKWARD);

      expect(await cache.invalidatePattern(item, key.replace(/[*?[\]\\]/g, '\\$&'))).toBe(1);
      expect((await cache.getWithMeta(item, key)).source).toBe('loader');
    },
  );

  test.each([
    ['{*}', 1],
    ['?a?', 1],
    ['*%*', 2],
    ['a?b', 4],
    ['a[*?]b', 2],
    ['[^a]*', 4],
    ['??', 1],
  ])('%j takes %i of the keys with special characters', async (glob, count) => {
    const item = echo('item');
    const cache = await openCache({ loaders: [item] });
    await cache.getMany(item, AWKWARD);

    expect(await cache.invalidatePattern(item, glob)).toBe(count);
  });

  test('means the key text of params that are no strings', async () => {
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async ({ shop, id }: { shop: string; id: number }) => `${shop} ${id}`,
    });
    const cache = await openCache({ loaders: [item] });
    await cache.getMany(item, [
      { shop: 'eu', id: 1 },
      { shop: 'eu', id: 2 },
      { shop: 'us', id: 1 },
    ]);

    expect(await cache.invalidatePattern(item, '*"shop":"eu"}')).toBe(2);
  });

  test('does not take a key that only ends like it', async () => {
    const item = echo('item');
    const cache = await openCache({ loaders: [item] });
    await cache.getMany(item, ['abc', 'x:abc', '1:abc']);

    expect(await cache.invalidatePattern(item, 'abc')).toBe(1);
  });

  test('matches as Redis does', async () => {
    const server = await ownServer();
    const redis = connect(server.url);
    const letters = Array.from('ab-[]^*?\\');
    const random = (length: number): string =>
      Array.from({ length }, () => letters[Math.floor(Math.random() * letters.length)]).join('');
    const texts = Array.from({ length: 150 }, (_, at) => random(1 + (at % 5)));
    await redis.mset(texts.flatMap((text) => [text, '']));

    const globs = Array.from({ length: 2_000 }, (_, at) => random(1 + (at % 7)));
    const theirs = await Promise.all(globs.map((glob) => redis.keys(glob)));
    for (const [at, glob] of globs.entries()) {
      const pattern = new Glob(glob);
      const ours = new Set(texts.filter((text) => pattern.matches(text)));
      if (isDeepStrictEqual([...ours].sort(), theirs[at]?.sort())) continue;
      expect([glob, [...ours].sort()]).toEqual([glob, theirs[at]]);
    }
  });
});

test('a scan whose connection is lost is finished after the reconnect', async () => {
  const server = await ownServer();
  const item = echo('item');
  const cache = await openCache({ redis: server.url, namespace: 'ns', loaders: [item] });
  await cache.getMany(item, numbered(3_000));
  const redis = connect(server.url);

  const invalidated = cache.invalidateLoader(item);
  await expect.poll(() => redis.dbsize(), { interval: 1 }).toBeLessThan(3_000);
  await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

  expect(await invalidated).toBeLessThanOrEqual(3_000);
  expect(await redis.keys('ns:{item@*')).toEqual([]);
});
