import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { createCache, defineLoader, type Invalidation } from '../../src/index.ts';
import { entryKey, gate, nextEvent, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({
  name: 'item',
  ttl: '10m',
  tags: () => ['t'],
  load: async (id: string) => id,
});

describe('again', () => {
  test('repeats once, and takes what a load read from a replica that lagged', async () => {
    const cache = await openCache({ loaders: [item] });
    const completed = recorded(cache, 'invalidation:completed');

    await cache.invalidate(item, 'a', { again: 200 });
    await cache.set(item, 'a', 'of a replica that lags');
    await expect
      .poll(async () => (await cache.getWithMeta(item, 'a')).value, { interval: 20 })
      .toBe('a');
    expect(completed).toHaveLength(1);
  });

  test.each([
    ['tags', () => ({ kind: 'tags', tags: ['t'] })],
    ['loader', () => ({ kind: 'loader', loader: 'item', version: null })],
  ] as const)('repeats an invalidation by %s', async (_, target) => {
    const cache = await openCache({ loaders: [item] });
    await cache.applyInvalidation({ ...target(), soft: false, againMs: 200 } as Invalidation);
    await cache.set(item, 'a', 'of a replica that lags');
    await expect
      .poll(async () => (await cache.getWithMeta(item, 'a')).value, { interval: 20 })
      .toBe('a');
  });

  test('is not waited for when the cache closes, but done at once', async () => {
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [item] });
    await cache.invalidate(item, 'a', { again: '1h' });
    await cache.set(item, 'a', 'of a replica that lags');

    await cache.close();
    expect(await connect().exists(entryKey(namespace, item, 'a'))).toBe(0);
  });

  test('reports its failure', async () => {
    const server = await startEmbeddedRedis();
    const cache = createCache({ redis: server.url, loaders: [item] });
    onTestFinished(() => cache.close());
    await cache.ready();
    const failed = nextEvent(cache, 'invalidation:failed');
    await cache.invalidate(item, 'a', { again: 100 });
    await server.close();

    expect(await failed).toMatchObject({
      kind: 'keys',
      loader: 'item',
      during: 'again',
      error: { code: 'REDIS_UNAVAILABLE' },
    });
  });
});

describe('onInvalidate', () => {
  test('is called with JSON data that another region carries out, without calling its own', async () => {
    const heard: string[] = [];
    const heardThere: Invalidation[] = [];
    const cache = await openCache({
      loaders: [item],
      onInvalidate: (invalidation) => void heard.push(JSON.stringify(invalidation)),
    });
    const there = await openCache({
      loaders: [item],
      onInvalidate: (invalidation) => void heardThere.push(invalidation),
    });

    await cache.invalidate(item, 'a', { soft: true, again: '1h' });
    await cache.invalidateMany(item, ['a', 'b']);
    await cache.invalidateTags('t');
    await cache.invalidatePattern(item, '*', { confirm: true });
    await cache.invalidateLoader(item, { version: 1 });
    await cache.invalidateNamespace({ confirm: true });

    expect(heard).toMatchInlineSnapshot(`
      [
        "{"kind":"keys","loader":"item","keys":["a"],"soft":true,"againMs":3600000}",
        "{"kind":"keys","loader":"item","keys":["a","b"],"soft":false}",
        "{"kind":"tags","tags":["t"],"soft":false}",
        "{"kind":"pattern","loader":"item","glob":"*","soft":false}",
        "{"kind":"loader","loader":"item","version":1,"soft":false}",
        "{"kind":"namespace","soft":false}",
      ]
    `);
    for (const text of heard) {
      await there.set(item, 'a', 'old');
      expect(await there.applyInvalidation(JSON.parse(text)), text).toBe(1);
    }
    expect(heardThere).toEqual([]);
  });

  test.each([
    ['throws', () => raise()],
    ['rejects', async () => raise()],
  ])('does not break the invalidation when it %s', async (_, onInvalidate) => {
    const cache = await openCache({ loaders: [item], onInvalidate });
    const failed = nextEvent(cache, 'invalidation:failed');
    await cache.get(item, 'a');

    expect(await cache.invalidate(item, 'a')).toBe(true);
    expect(await failed).toMatchObject({ during: 'hook', error: { message: 'no relay' } });
  });

  test('is not waited for, but by close', async () => {
    const relayed = gate();
    let isRelayed = false;
    const onInvalidate = async (): Promise<void> => {
      await relayed.opened;
      isRelayed = true;
    };
    const cache = await openCache({ loaders: [item], onInvalidate });
    await cache.invalidate(item, 'a');

    const closed = cache.close();
    relayed.open();
    await closed;
    expect(isRelayed).toBe(true);
  });
});

describe('an invalidation while Redis is away', () => {
  test('fails after its deadline', async () => {
    const server = await startEmbeddedRedis();
    const cache = createCache({ redis: server.url, loaders: [item] });
    onTestFinished(() => cache.close());
    await cache.ready();
    await server.close();

    const calls = await Promise.allSettled([
      cache.invalidateLoader(item),
      cache.invalidatePattern(item, 'a*'),
      cache.invalidateMany(item, ['a', 'b']),
    ]);
    for (const call of calls) expect(call).toMatchObject({ reason: { code: 'REDIS_UNAVAILABLE' } });
  });

  test.each(['loader', 'namespace'] as const)('is repeated after a reconnect: %s', async (kind) => {
    const server = await ownServer();
    const cache = await openCache({ redis: server.url, namespace: 'ns', loaders: [item] });
    const redis = connect(server.url);
    if (kind === 'loader') await cache.invalidateLoader(item);
    else await cache.invalidateNamespace({ confirm: true });

    // As after a failover to a server that has not heard of it.
    await cache.set(item, 'a', 'from before');
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => redis.exists(entryKey('ns', item, 'a')), { interval: 10 }).toBe(0);
  });
});

function raise(): never {
  throw new Error('no relay');
}
