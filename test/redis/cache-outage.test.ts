import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { createCache, defineLoader } from '../../src/index.ts';
import { entryKey, gate, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

/** A port that nobody listens on: a server's that has ended. */
async function deadUrl(): Promise<string> {
  const server = await ownServer();
  await server.close();
  return server.url;
}

function counting() {
  const loads: string[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: '10m',
    load: async (id: string) => {
      loads.push(id);
      return `${id} ${loads.length}`;
    },
  });
  return { loader, loads };
}

const uncached = { source: 'loader', state: 'uncached', ageMs: 0, ttlMs: 0 } as const;

describe('a cache whose Redis is away from the start', () => {
  test('answers from the loader at once, each key once a second', async () => {
    const { loader, loads } = counting();
    const cache = createCache({ redis: await deadUrl(), loaders: [loader] });
    const failures = recorded(cache, 'redis:failed');
    let isReady = false;
    void cache.ready().then(() => {
      isReady = true;
    });

    expect(await cache.getWithMeta(loader, 'a')).toEqual({ value: 'a 1', ...uncached });
    expect(isReady).toBe(false); // It did not wait for a server that may never come.
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get(loader, 'a')));
    expect(new Set(answers)).toEqual(new Set(['a 1']));
    expect(await cache.getMany(loader, ['b', 'a', 'b'])).toEqual(['b 2', 'a 1', 'b 2']);
    expect(loads).toEqual(['a', 'b']);
    expect(failures).toContainEqual({
      role: 'cache',
      error: expect.objectContaining({ message: expect.stringContaining('ECONNREFUSED') }),
    });
    await cache.close();
    await cache.ready();
  });
});

describe('what cannot be done without Redis', () => {
  const failures: Record<string, unknown> = {};

  // Each gives up after 5 s: together they take no longer.
  beforeAll(async () => {
    const { loader } = counting();
    const server = await startEmbeddedRedis();
    const cache = createCache({ redis: server.url, loaders: [loader] });
    await cache.ready();
    await server.close();
    const target = server.url.replace('redis://', 'redis://user:secret@');
    const strict = createCache({ redis: target, strict: true, loaders: [loader] });
    const attempts: Record<string, Promise<unknown>> = {
      set: cache.set(loader, 'a', 'set'),
      invalidate: cache.invalidate(loader, 'a'),
      start: strict.ready(),
      'strict get': strict.get(loader, 'a'),
    };
    await Promise.all(
      Object.entries(attempts).map(async ([name, attempt]) => {
        failures[name] = await attempt.catch((error: unknown) => error);
      }),
    );
    await Promise.all([cache.close(), strict.close()]);
  }, 20_000);

  test.for([
    ['set', /^key a could neither be set nor invalidated within 5000 ms: /],
    ['invalidate', /^key a could not be invalidated within 5000 ms: /],
  ] as const)('is to %s: an error says so', ([name, message]) => {
    expect(failures[name]).toMatchObject({
      name: 'EverwarmError',
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });

  test.for(['start', 'strict get'])(
    'is to %s when strict: an error names the server and why',
    (name) => {
      expect(failures[name]).toMatchObject({
        code: 'REDIS_UNAVAILABLE',
        message: expect.stringMatching(
          /^Redis at redis:\/\/\*{3}@127\.0\.0\.1:\d+ did not answer within 5000 ms: connect ECONNREFUSED/,
        ),
      });
    },
  );
});

describe('a Redis that stops answering', () => {
  test('is passed by: reads end with the loader, and with Redis again once it is back', async () => {
    const server = await ownServer();
    const { loader, loads } = counting();
    const cache = await openCache({ redis: server.url, readTimeout: 100, loaders: [loader] });
    const failures = recorded(cache, 'redis:failed');
    await cache.getMany(loader, ['a', 'b', 'c']);

    process.kill(server.pid, 'SIGSTOP');
    try {
      expect(await cache.getWithMeta(loader, 'a')).toEqual({ value: 'a 4', ...uncached });
      expect(await cache.getMany(loader, ['b', 'c'])).toEqual(['b 5', 'c 6']);
      expect(await cache.getWithMeta(loader, 'new')).toEqual({ value: 'new 7', ...uncached });
      expect(failures).toContainEqual({
        role: 'cache',
        error: expect.objectContaining({
          code: 'REDIS_UNAVAILABLE',
          message: 'Redis did not answer within readTimeout (100 ms)',
        }),
      });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }

    await expect
      .poll(() => cache.getWithMeta(loader, 'a'), { timeout: 10_000 })
      .toMatchObject({ value: 'a 1', source: 'redis', state: 'fresh' });
    expect(loads).toHaveLength(7);
  });

  test('in mid-load costs the entry, not the answer', async () => {
    const server = await ownServer();
    const held = gate();
    let isLoading = false;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string) => {
        isLoading = true;
        await held.opened;
        return 'loaded';
      },
    });
    const cache = await openCache({ redis: server.url, loaders: [item] });

    const answer = cache.getWithMeta(item, 'a');
    await expect.poll(() => isLoading).toBe(true);
    await server.close();
    held.open();

    expect(await answer).toEqual({ value: 'loaded', ...uncached });
  });
});

describe('a Redis that refuses to store', () => {
  test('answers hits, costs a load for each miss, and keeps nothing older than a set', async () => {
    const server = await ownServer();
    const { loader } = counting();
    const cache = await openCache({ redis: server.url, loaders: [loader] });
    await cache.getMany(loader, ['a', 'b']);
    await connect(server.url).acl('SETUSER', 'default', '-set');

    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'a 1', source: 'redis' });
    expect(await cache.getWithMeta(loader, 'c')).toEqual({ value: 'c 3', ...uncached });
    await expect(cache.set(loader, 'a', 'set')).rejects.toMatchObject({
      name: 'EverwarmError',
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/^key a was not set, its entry is invalidated: /),
    });
    expect(await cache.getWithMeta(loader, 'a')).toEqual({ value: 'a 4', ...uncached });
    expect(await cache.invalidate(loader, 'b')).toBe(true);
  });
});

describe('a Redis that is restarted', () => {
  test('is used again, empty as it is', async () => {
    const first = await ownServer();
    const { loader } = counting();
    const cache = await openCache({ redis: first.url, loaders: [loader] });
    await cache.get(loader, 'a');

    await first.close();
    expect(await cache.getWithMeta(loader, 'a')).toEqual({ value: 'a 2', ...uncached });
    const second = await startEmbeddedRedis({ port: first.port });
    onTestFinished(() => second.close());

    await expect
      .poll(() => cache.getWithMeta(loader, 'a'), { timeout: 10_000 })
      .toMatchObject({ source: 'redis' });
  });
});

describe('the connections of a cache', () => {
  async function names(url: string): Promise<string[]> {
    const list = String(await connect(url).client('LIST'));
    return [...list.matchAll(/ name=(\S+)/g)].map(([, name]) => String(name));
  }

  test('are exactly three, under its name, and none once it is closed', async () => {
    const { url } = await ownServer();
    const one = defineLoader({ name: 'one', ttl: '1m', load: async () => 1 });
    const two = defineLoader({ name: 'two', ttl: '1m', load: async () => 2 });
    const cache = await openCache({
      redis: url,
      namespace: uniqueNamespace(),
      loaders: [one, two],
    });
    await Promise.all([cache.get(one), cache.get(two)]);

    expect(await names(url)).toEqual(['everwarm:cache', 'everwarm:cache', 'everwarm:cache:bus']);
    await cache.close();
    await expect.poll(() => names(url)).toEqual([]);
  });
});

describe('a closed cache', () => {
  test('rejects with CLOSED, and may be closed again', async () => {
    const { loader, loads } = counting();
    const cache = await openCache({ loaders: [loader] });
    await cache.close();

    const closed = { code: 'CLOSED', message: 'loader "item": the cache is closed' };
    await expect(cache.get(loader, 'a')).rejects.toMatchObject(closed);
    await expect(cache.getWithMeta(loader, 'a')).rejects.toMatchObject(closed);
    await expect(cache.getMany(loader, ['a'])).rejects.toMatchObject(closed);
    await expect(cache.set(loader, 'a', 'set')).rejects.toMatchObject(closed);
    await expect(cache.invalidate(loader, 'a')).rejects.toMatchObject(closed);
    await cache.close();
    expect(loads).toEqual([]);
  });

  test('still answers the reads that were under way', async () => {
    const held = gate();
    let isLoading = false;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string) => {
        isLoading = true;
        await held.opened;
        return 'loaded';
      },
    });
    const cache = await openCache({ loaders: [item] });

    const answer = cache.get(item, 'a');
    await expect.poll(() => isLoading).toBe(true);
    const closing = cache.close();
    held.open();

    expect(await answer).toBe('loaded');
    await closing;
  });

  test('aborts a load that goes on for too long, and leaves no lock behind', async () => {
    const namespace = uniqueNamespace();
    let signal: AbortSignal | undefined;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: (_id: string, context) => {
        signal = context.signal;
        return new Promise<string>(() => undefined);
      },
    });
    const cache = await openCache({ namespace, loaders: [item] });

    const failed = expect(cache.get(item, 'a')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect.poll(() => signal).toBeDefined();
    await cache.close();

    await failed;
    expect(signal?.aborted).toBe(true);
    expect(await connect().exists(`${entryKey(namespace, item, 'a')}:lock`)).toBe(0);
  });
});
