import { describe, expect, test } from 'vitest';
import { entryBytes, entryKey, openCache } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

/** Params of its own class: no JSON data. */
class User {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

describe('a wrapped function with a key', () => {
  const key = (user: User) => user.id;

  test("is called with its caller's own arguments", async () => {
    const calls: User[] = [];
    const cache = await openCache({});
    const greet = async (user: User) => {
      calls.push(user);
      return `hello ${user.id}`;
    };
    const getGreeting = cache.wrap(greet, { name: 'greeting', ttl: '1m', key });
    const [a, b] = [new User('a'), new User('b')];

    expect(await Promise.all([getGreeting(a), getGreeting(b), getGreeting(new User('a'))])).toEqual(
      ['hello a', 'hello b', 'hello a'],
    );
    expect(calls).toHaveLength(2);
    expect(calls[0]).toBe(a);
    expect(calls[1]).toBe(b);
    expect(await getGreeting.invalidate(new User('a'))).toBe(true);
  });

  test('must tell calls apart: an undefined key is refused', async () => {
    const cache = await openCache({});
    const greet = async (user: User) => user.id;
    const getGreeting = cache.wrap(greet, { name: 'greeting', ttl: '1m', key });

    await expect(getGreeting({} as User)).rejects.toMatchObject({
      code: 'INVALID_KEY',
      message: 'key of "greeting" must answer JSON data, not undefined',
    });
  });

  test('is not refreshed ahead: nobody but a caller has its arguments', async () => {
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace });
    let calls = 0;
    const greet = async (user: User) => `${user.id} ${++calls}`;
    const getGreeting = cache.wrap(greet, { name: 'greeting', ttl: '1m', key });
    // About to expire after a load of seconds: a reader would refresh another loader's entry by itself.
    const nowMs = Date.now();
    const bytes = entryBytes('kept', {
      createdAtMs: nowMs - 50_000,
      expiresAtMs: nowMs + 10_000,
      load: { meanMs: 30_000, deviationMs: 0 },
    });
    await connect().set(entryKey(namespace, getGreeting.loader, 'a'), bytes, 'PX', 60_000);

    for (let read = 0; read < 5; read++) expect(await getGreeting(new User('a'))).toBe('kept');
    await cache.close(); // Waits for loads under way, and sends what reads were counted.

    expect(getGreeting.loader.refresh.isOff).toBe(true);
    expect(calls).toBe(0);
    const left = await connect().keys(`${namespace}:*`);
    expect(left.filter((name) => name.includes('heat'))).toEqual([]);
  });

  test('is called by who finds its entry invalidated softly, and not in the background', async () => {
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace });
    const greet = async (user: User) => `hello ${user.id}`;
    const getGreeting = cache.wrap(greet, { name: 'greeting', ttl: '1m', key });
    const bytes = entryBytes('old', { invalidated: true });
    await connect().set(entryKey(namespace, getGreeting.loader, 'a'), bytes, 'PX', 60_000);

    expect(await getGreeting(new User('a'))).toBe('hello a');
  });

  test('cannot be loaded by its key alone, and says why', async () => {
    const cache = await openCache({});
    const greet = async (user: User) => user.id;
    const getGreeting = cache.wrap(greet, { name: 'greeting', ttl: '1m', key });

    await expect(cache.get(getGreeting.loader, 'a')).rejects.toThrow(
      'loader "greeting" failed for key a: only a caller has the arguments: `key` is given, but no `args`',
    );
  });

  test('and its way back can be loaded by anybody, with arguments made from the key', async () => {
    const calls: User[] = [];
    const cache = await openCache({});
    const greet = async (user: User) => {
      calls.push(user);
      return `hello ${user.id}`;
    };
    const getGreeting = cache.wrap(greet, {
      name: 'greeting',
      ttl: '1m',
      key,
      args: (id) => [new User(id)],
    });

    expect(await cache.get(getGreeting.loader, 'a')).toBe('hello a');
    expect(await getGreeting(new User('a'))).toBe('hello a');
    expect(getGreeting.loader.refresh.isOff).toBe(false);
    expect(calls).toEqual([new User('a')]);
  });
});
