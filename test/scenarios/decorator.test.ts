import { describe, expect, onTestFinished, test } from 'vitest';
import { cachedMethod, createScheduler, createWorker } from '../../src/index.ts';
import { nextEvent } from '../helpers/cache.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

type Fixture = typeof import('../processes/decorated-users.ts');

const { decorateUsers, decorateTwice, Session }: Fixture = await import(
  new URL('../../dist/test/processes/decorated-users.js', import.meta.url).href
);

async function users() {
  const roles = { redis: redisUrl(), namespace: uniqueNamespace() };
  const decorated = decorateUsers(roles);
  onTestFinished(() => decorated.cache.close());
  await decorated.cache.ready();
  return { ...decorated, roles };
}

describe('a method with @cached', () => {
  test('is called with its own instance, and its value serves the others', async () => {
    const { Users, calls } = await users();
    const [eu, us] = [new Users('eu'), new Users('us')];

    expect(await us.byId('a')).toBe('a');
    expect(await eu.byId('a', undefined)).toBe('a');
    expect(await eu.byId('b', 'name')).toBe('b');
    expect(calls).toEqual(['us:a', 'eu:bname']);
  });

  test('has a loader and can be invalidated', async () => {
    const { Users, calls } = await users();
    const eu = new Users('eu');
    const byId = cachedMethod(Users.prototype.byId);

    await eu.byId('a');
    expect(byId.loader).toMatchObject({ name: 'user', ttlMs: 1_000 });
    expect([byId.name, byId.length]).toEqual(['byId', 2]);
    expect(await byId.invalidate('a')).toBe(true);
    await eu.byId('a');
    expect(calls).toEqual(['eu:a', 'eu:a']);
  });

  test("with a key gets its caller's own arguments", async () => {
    const { Users, calls } = await users();

    expect(await new Users('eu').ofSession(new Session('a'))).toBe('a');
    expect(await new Users('us').ofSession(new Session('a'))).toBe('a');
    expect(calls).toEqual(['eu:true']);
  });

  test('may be static', async () => {
    const { Users, calls } = await users();

    expect([await Users.count(), await Users.count()]).toEqual([2, 2]);
    expect(calls).toEqual(['Users']);
  });

  test('is refreshed ahead by a worker of the same process, through its latest instance', async () => {
    const { Users, calls, roles } = await users();
    const loaders = [cachedMethod(Users.prototype.byId).loader];
    const worker = createWorker({ ...roles, loaders });
    const scheduler = createScheduler({ ...roles, loaders });
    onTestFinished(async () => {
      await Promise.all([scheduler.close(), worker.close()]);
    });
    await Promise.all([worker.ready(), scheduler.ready()]);
    const refreshed = nextEvent(worker, 'refresh:completed');
    const eu = new Users('eu');
    const us = new Users('us');

    for (let read = 0; read < 20; read++) await eu.byId('a');

    expect(await refreshed).toMatchObject({ loader: 'user', key: 'a' });
    expect(calls.slice(0, 2)).toEqual(['eu:a', 'us:a']);
    expect(us).toBeInstanceOf(Users); // Alive until here.
  });

  test('whose process has no instance fails to refresh, and is not called', async () => {
    const { cache, Users, calls } = await users();
    const { loader } = cachedMethod(Users.prototype.byId);
    cache.addLoader(loader);

    await expect(cache.get(loader, 'a' as never)).rejects.toThrow(
      'loader "user" failed for key a: this process has no instance to call the method of',
    );
    expect(calls).toEqual([]);
  });

  test('rejects its calls where another loader has its name', async () => {
    const { cache } = await users();
    const twice = decorateTwice(cache);

    expect(await twice.a()).toBe('a');
    await expect(twice.b()).rejects.toThrow('`loader.name` ("same") is the name of two loaders');
  });
});
