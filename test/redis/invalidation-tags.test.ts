import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import {
  commandCalls,
  entryBytes,
  entryKey,
  gate,
  nextEvent,
  openCache,
  ownServer,
  recorded,
} from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

type Tags = (id: string) => readonly string[];

function tagged(tags: Tags, name = 'item') {
  return defineLoader({
    name,
    ttl: '10m',
    tags,
    load: async (id: string) => id,
    loadMany: async (ids) => ids,
  });
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `k${at}`);

describe('invalidateTags', () => {
  test('takes the keys with the tag, of every loader, and no other', async () => {
    const product = tagged((id) => [`shop:${id.slice(0, 2)}`, 'all'], 'product');
    const price = tagged((id) => [`shop:${id.slice(0, 2)}`], 'price');
    const cache = await openCache({ loaders: [product, price] });
    await cache.getMany(product, ['eu-1', 'eu-2', 'us-1']);
    await cache.set(price, 'eu-1', 'set');
    const completed = recorded(cache, 'invalidation:completed');

    expect(await cache.invalidateTags('shop:eu')).toBe(3);
    expect(await cache.invalidateTags(['shop:eu', 'all', 'all'])).toBe(1);
    expect(await cache.invalidateTags('nobody has it')).toBe(0);

    expect(completed.map(({ count }) => count)).toEqual([3, 1, 0]);
    expect((await cache.getWithMeta(price, 'eu-1')).source).toBe('loader');
  });

  test('takes the keys of loaders that only other processes know', async () => {
    const namespace = uniqueNamespace();
    const [item, other] = [tagged(() => ['t']), tagged(() => [], 'other')];
    const owner = await openCache({ namespace, loaders: [item] });
    const cache = await openCache({ namespace, loaders: [other] });
    await owner.get(item, 'a');

    expect(await cache.invalidateTags('t')).toBe(1);
    expect((await owner.getWithMeta(item, 'a')).source).toBe('loader');
  });

  test('takes 5,000 keys, in batches', async () => {
    const item = tagged(() => ['t']);
    const cache = await openCache({ loaders: [item], readTimeout: '5s' }); // on a busy machine, too
    await cache.getMany(item, numbered(5_000));

    expect(await cache.invalidateTags('t', { soft: true })).toBe(5_000);
    expect(await cache.invalidateTags('t')).toBe(5_000);
  });

  test('counts the keys of many tags, each key once', async () => {
    const item = tagged((id) => [`t${id.at(-1)}`, 'all']);
    const cache = await openCache({ loaders: [item], readTimeout: '5s' }); // on a busy machine, too
    await cache.getMany(item, numbered(2_000));
    const tags = Array.from({ length: 10 }, (_, at) => `t${at}`);

    expect(await cache.invalidateTags(tags.slice(1), { soft: true })).toBe(1_800);
    expect(await cache.invalidateTags([...tags, 'all'])).toBe(2_000);
  });

  test('may be called many times at once without a warning of listeners', async () => {
    const item = tagged((id) => [id]);
    const cache = await openCache({ loaders: [item] });
    const keys = numbered(30);
    await cache.getMany(item, keys);
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));

    const counts = await Promise.all(keys.map((key) => cache.invalidateTags(key)));
    expect(counts).toEqual(keys.map(() => 1));
    await new Promise(setImmediate); // Warnings come a turn later.
    expect(warnings).toEqual([]);
  });

  test.each(['{t}', 'a}b', '%7D', 'é😀', ' ', 'a:b*c[d]', 'x'.repeat(256)])(
    'keeps the tag %j apart from others',
    async (tag) => {
      const item = tagged((id) => [id === 'a' ? tag : `${tag.slice(1)}!`]);
      const cache = await openCache({ loaders: [item] });
      await cache.getMany(item, ['a', 'b']);

      expect(await cache.invalidateTags(tag)).toBe(1);
      expect((await cache.getWithMeta(item, 'b')).source).toBe('redis');
    },
  );

  test.each([
    ['x'.repeat(257), 'must be a text of 1 to 256 bytes'],
    ['é'.repeat(129), 'must be a text of 1 to 256 bytes'],
    ['', 'must be a text of 1 to 256 bytes'],
    ['\ud800', 'must be a text of 1 to 256 bytes'],
    [7, 'must be a tag or an array of tags'],
    [['ok', null], '`tags[1]` (null) must be a text of 1 to 256 bytes'],
  ])('refuses %j', async (tags, message) => {
    const cache = await openCache({ loaders: [tagged(() => [])] });
    const refused = cache.invalidateTags(tags as string);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('the index of a tag', () => {
  test('has a key before its load runs, and keeps it as long as its entry may live', async () => {
    const [started, finish] = [gate(), gate()];
    const namespace = uniqueNamespace();
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      staleIfError: '30s',
      loadTimeout: '5s',
      tags: () => ['t'],
      load: async (id: string) => {
        started.open();
        await finish.opened;
        return id;
      },
    });
    const cache = await openCache({ namespace, loaders: [item] });
    const redis = connect();
    const index = new Keys(namespace).tag('t');

    const answer = cache.get(item, 'a');
    await started.opened;
    const [member, score] = await redis.zrange(index, '0', '-1', 'WITHSCORES');
    finish.open();
    await answer;

    expect(member).toBe('item@1:a');
    const entryExpiresAtMs = Date.now() + (await redis.pttl(new Keys(namespace).entry(item, 'a')));
    expect(Number(score)).toBeGreaterThan(entryExpiresAtMs);
    expect(Date.now() + (await redis.pttl(index))).toBeGreaterThan(entryExpiresAtMs);
  });

  test('forgets expired keys, some with each load, and never finds them', async () => {
    const namespace = uniqueNamespace();
    const item = tagged(() => ['t']);
    const cache = await openCache({ namespace, loaders: [item] });
    const redis = connect();
    const index = new Keys(namespace).tag('t');
    const expired = numbered(150).flatMap((key) => [Date.now() - 1_000, `item@1:${key}`]);
    await redis.zadd(index, ...expired);

    await cache.get(item, 'a');
    expect(await redis.zcard(index)).toBe(51);
    expect(await cache.invalidateTags('t')).toBe(1);
  });

  test('is never shortened by a loader that keeps its entries for less', async () => {
    const namespace = uniqueNamespace();
    const [long, short] = [
      tagged(() => ['t'], 'long'),
      defineLoader({ name: 'short', ttl: 100, tags: () => ['t'], load: async () => 1 }),
    ];
    const cache = await openCache({ namespace, loaders: [long, short] });
    await cache.get(long, 'a');
    const leftMs = await connect().pttl(new Keys(namespace).tag('t'));
    await cache.get(short);

    expect(await connect().pttl(new Keys(namespace).tag('t'))).toBeGreaterThan(leftMs - 10_000);
  });

  test('costs loaders without tags nothing', async () => {
    const server = await ownServer();
    const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
    const cache = await openCache({ redis: server.url, recording: false, loaders: [item] });
    const redis = connect(server.url);
    const before = await commandCalls(redis);
    await cache.getMany(item, numbered(100));

    expect((await commandCalls(redis)).zadd).toBe(before.zadd);
  });
});

describe('a value whose tags cannot be kept', () => {
  test.each<[string, Tags, string]>([
    ['throw', () => raise('no tags today'), 'no tags today'],
    ['are too many', () => numbered(33), 'must be at most 32 tags'],
    ['are too long', () => ['x'.repeat(257)], 'must be a text of 1 to 256 bytes'],
    ['are no array', () => 'tag' as never, 'must be an array of tags'],
  ])('is answered and reported, not stored: they %s', async (_, tags, message) => {
    const item = tagged((id) => (id === 'good' ? ['t'] : tags(id)));
    const cache = await openCache({ loaders: [item] });
    const failed = recorded(cache, 'store:failed');

    expect(await cache.get(item, 'bad')).toBe('bad');
    expect(await cache.getMany(item, ['good', 'bad'])).toEqual(['good', 'bad']);

    expect((await cache.getWithMeta(item, 'good')).source).toBe('redis');
    expect((await cache.getWithMeta(item, 'bad')).source).toBe('loader');
    const error = expect.objectContaining({ message: expect.stringContaining(message) });
    expect(failed).toEqual(Array(3).fill({ loader: 'item', key: 'bad', error }));
    await expect(cache.set(item, 'bad', 'set')).rejects.toThrow(message);
  });

  test('is answered and reported, not stored, while the queue server is away', async () => {
    const queue = await startEmbeddedRedis();
    const item = tagged(() => ['t']);
    const plain = defineLoader({ name: 'plain', ttl: '1m', load: async (id: string) => id });
    const redis = { cache: redisUrl(), queue: queue.url };
    const cache = await openCache({ redis, loaders: [item, plain] });
    const failed = recorded(cache, 'store:failed');
    await queue.close();

    expect(await cache.get(item, 'a')).toBe('a');
    expect(await cache.get(plain, 'a')).toBe('a');

    expect(failed).toMatchObject([{ loader: 'item', key: 'a' }]);
    expect((await cache.getWithMeta(item, 'a')).source).toBe('loader');
    expect((await cache.getWithMeta(plain, 'a')).source).toBe('redis');
    await expect(cache.set(item, 'a', 'set')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await cache.invalidate(plain, 'a')).toBe(true);
    await expect(cache.invalidateTags('t')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });

  test('waits a quarter of a second for a queue server that hangs, no longer', async () => {
    const queue = await ownServer();
    const item = tagged(() => ['t']);
    const cache = await openCache({
      redis: { cache: redisUrl(), queue: queue.url },
      loaders: [item],
    });
    const failed = nextEvent(cache, 'store:failed');
    await connect(queue.url).call('CLIENT', 'PAUSE', '3000', 'ALL');

    expect(await cache.get(item, 'a')).toBe('a');
    expect(await failed).toMatchObject({
      error: { message: 'the index of tags did not answer within 250 ms' },
    });
  });
});

function raise(message: string): never {
  throw new Error(message);
}

test('invalidating a tag of many keys is repeated for all of them after a reconnect', async () => {
  const server = await ownServer();
  const namespace = uniqueNamespace();
  const loader = tagged(() => ['t']);
  const cache = await openCache({ redis: server.url, namespace, loaders: [loader] });
  const redis = connect(server.url);
  const keys = Array.from({ length: 12_000 }, (_, at) => `${at}`);
  await cache.setMany(
    loader,
    keys.map((key) => [key, key] as const),
  );
  expect(await cache.invalidateTags('t')).toBe(keys.length);

  // As a replica would have them that took over without the last writes.
  const places = keys.map((key) => entryKey(namespace, loader, key));
  await redis.mset(places.flatMap((place) => [place, entryBytes('old')]));
  await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

  await expect.poll(() => redis.exists(...places), { timeout: 10_000 }).toBe(0);
});
