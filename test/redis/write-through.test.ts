import { describe, expect, expectTypeOf, test } from 'vitest';
import { createCache, defineLoader, type Loader } from '../../src/index.ts';
import { entryKey, gate, openCache, ownServer } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

interface User {
  readonly id: string;
  readonly name: string;
}

/** Users in a "database", and what is read of it. */
function database(more: Partial<Parameters<typeof defineLoader<string, User>>[0]> = {}) {
  const names = new Map<string, string>([['1', 'old']]);
  const read = (id: string): User => ({ id, name: names.get(id) ?? '' });
  let loads = 0;
  const users: Loader<string, User> = defineLoader({
    name: 'user',
    ttl: '10m',
    load: async (id: string): Promise<User> => {
      loads++;
      return read(id);
    },
    ...more,
  }) as Loader<string, User>;
  const rename = async (id: string, name: string): Promise<User> => {
    names.set(id, name);
    return read(id);
  };
  return { users, names, rename, loads: () => loads };
}

describe('writeThrough', () => {
  test('stores what the write answers: the next read needs no load', async () => {
    const { users, rename, loads } = database();
    const cache = await openCache({ loaders: [users] });
    await cache.get(users, '1');

    const written = await cache.writeThrough(users, '1', () => rename('1', 'new'));

    expectTypeOf(written).toEqualTypeOf<User>();
    expect(written).toEqual({ id: '1', name: 'new' });
    expect(await cache.getWithMeta(users, '1')).toMatchObject({
      value: { name: 'new' },
      source: 'redis',
    });
    expect(loads()).toBe(1);
  });

  test('invalidates when the write answers nothing, in every cache of the namespace', async () => {
    const { users, rename } = database({ memory: { maxEntries: 10 } });
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [users] });
    const other = await openCache({ namespace, loaders: [users] });
    for (let read = 0; read < 3; read++) await other.get(users, '1');
    expect((await other.getWithMeta(users, '1')).source).toBe('memory');

    await cache.writeThrough(users, '1', async () => void (await rename('1', 'new')));

    await expect.poll(async () => (await other.get(users, '1')).name).toBe('new');
    expect((await cache.get(users, '1')).name).toBe('new');
  });

  test('invalidates when the write fails, as it may have happened, and rethrows', async () => {
    const { users, rename, loads } = database();
    const cache = await openCache({ loaders: [users] });
    await cache.get(users, '1');
    const lost = new Error('the connection was lost after COMMIT');

    const writing = cache.writeThrough(users, '1', async (): Promise<User> => {
      await rename('1', 'new');
      throw lost;
    });

    await expect(writing).rejects.toBe(lost);
    expect(await cache.get(users, '1')).toEqual({ id: '1', name: 'new' });
    expect(loads()).toBe(2);
  });

  test('invalidates when the value that was written cannot be kept', async () => {
    const { users, names } = database();
    const cache = await openCache({ loaders: [users] });
    await cache.get(users, '1');

    const writing = cache.writeThrough(users, '1', () => {
      names.set('1', 'new');
      return { id: '1', name: 'new', at: Symbol('here') } as User;
    });

    await expect(writing).rejects.toMatchObject({ code: 'CODEC_FAILED' });
    expect((await cache.get(users, '1')).name).toBe('new');
  });

  test('invalidates when the ttl function fails on what was written', async () => {
    const { users, rename } = database({
      ttl: ({ name }: User) => (name === 'new' ? -1 : '1m'),
      nominalTtl: '1m',
    } as never);
    const cache = await openCache({ loaders: [users] });
    await cache.get(users, '1');

    await expect(cache.writeThrough(users, '1', () => rename('1', 'new'))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(await cache.getWithMeta(users, '1')).toMatchObject({
      value: { name: 'new' },
      state: 'uncached',
    });
  });

  test('is not undone by a load that read before it and ends after it', async () => {
    const held = gate();
    const started = gate();
    let loads = 0;
    let name = 'old';
    const users = defineLoader({
      name: 'user',
      ttl: '10m',
      load: async (id: string): Promise<User> => {
        const found = { id, name };
        loads++;
        started.open();
        if (loads === 1) await held.opened;
        return found;
      },
    });
    const cache = await openCache({ loaders: [users] });
    const reading = cache.get(users, '1');
    await started.opened;

    await cache.writeThrough(users, '1', () => {
      name = 'new';
      return { id: '1', name };
    });
    held.open();

    expect((await reading).name).toBe('new');
    expect((await cache.getWithMeta(users, '1')).value.name).toBe('new');
    expect(loads).toBe(1);
  });

  test('of a loader with tags is found by them', async () => {
    const { users, rename, loads } = database({ tags: (id) => [`user:${id}`] });
    const cache = await openCache({ loaders: [users] });

    await cache.writeThrough(users, '1', () => rename('1', 'new'));
    expect(await cache.invalidateTags('user:1')).toBe(1);
    expect((await cache.get(users, '1')).name).toBe('new');
    expect(loads()).toBe(1);
  });

  test('does not run the write once the cache is closed', async () => {
    const { users, names, rename } = database();
    const cache = await openCache({ loaders: [users] });
    await cache.close();

    await expect(cache.writeThrough(users, '1', () => rename('1', 'new'))).rejects.toMatchObject({
      code: 'CLOSED',
    });
    expect(names.get('1')).toBe('old');
  });

  test('does not run the write where a strict cache refuses its Redis, nor for a bad key', async () => {
    const { users, names, rename } = database();
    const strict = createCache({
      redis: 'redis://127.0.0.1:1',
      strict: true,
      loaders: [users],
    });
    const refused = strict.writeThrough(users, '1', () => rename('1', 'new'));
    await expect(refused).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await strict.close();

    const cache = await openCache({ loaders: [users] });
    const keyless = cache.writeThrough(users, Number.NaN as never, () => rename('1', 'new'));
    await expect(keyless).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(names.get('1')).toBe('old');
  }, 20_000);

  test('waits for the connection of a cache that has just been opened', async () => {
    const { users, rename } = database();
    const namespace = uniqueNamespace();
    const cache = createCache({ redis: redisUrl(), namespace, loaders: [users] });

    await cache.writeThrough(users, '1', () => rename('1', 'new'));

    expect(await connect().exists(entryKey(namespace, users, '1'))).toBe(1);
    await cache.close();
  });

  test('that is under way when the cache closes is waited for, its entry follows', async () => {
    const { users, rename } = database();
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [users] });
    const [held, started] = [gate(), gate()];
    await cache.get(users, '1');

    const writing = cache.writeThrough(users, '1', async () => {
      started.open();
      await held.opened;
      await rename('1', 'new');
    });
    await started.opened;
    const closing = cache.close();
    // A close that does not wait for the write is over by then.
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 1_000))]);
    held.open();
    await Promise.all([writing, closing]);

    expect(await connect().exists(entryKey(namespace, users, '1'))).toBe(0);
  });

  test('tells its caller that the entry could not follow while Redis is away', async () => {
    const server = await ownServer();
    const { users, names, rename } = database();
    const cache = await openCache({ redis: server.url, loaders: [users] });
    await cache.get(users, '1');
    await server.close();

    const [set, removed, failed] = await Promise.allSettled([
      cache.writeThrough(users, '1', () => rename('1', 'new')),
      cache.writeThrough(users, '2', async () => void (await rename('2', 'new'))),
      cache.writeThrough(users, '3', () => Promise.reject(new Error('no'))),
    ]);

    const message = /could neither be set nor invalidated within 5000 ms/;
    expect(set).toMatchObject({
      reason: { code: 'REDIS_UNAVAILABLE', message: expect.stringMatching(message) },
    });
    expect(removed).toMatchObject({ reason: { code: 'REDIS_UNAVAILABLE' } });
    expect(failed).toMatchObject({
      reason: { name: 'AggregateError', errors: [new Error('no'), { code: 'REDIS_UNAVAILABLE' }] },
    });
    expect(names.get('1')).toBe('new'); // The write itself has happened.
  }, 30_000);
});
