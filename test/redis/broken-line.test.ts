import { describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { nextEvent, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { openProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';

const READ_TIMEOUT_MS = 100;
/** Well over readTimeout on a busy machine, and well under the second that a write may take. */
const SOON_MS = 700;
const BLACKHOLE = { kind: 'blackhole' } as const;
const PASS = { kind: 'pass' } as const;

interface Scene {
  readonly proxy: TcpProxy;
  readonly cache: Cache;
  readonly item: Loader<string, string>;
  readonly loads: string[];
}

/** A cache at the far end of a line; `onLoad` runs in each load. */
async function scene(onLoad: (proxy: TcpProxy) => void = () => undefined): Promise<Scene> {
  const server = await ownServer();
  const proxy = await openProxy(server);
  const loads: string[] = [];
  const item = defineLoader({
    name: 'item',
    ttl: '10m',
    load: async (id: string) => {
      loads.push(id);
      onLoad(proxy);
      return longValue(id);
    },
  });
  const redis = { cache: proxy.url, queue: server.url };
  const cache = await openCache({ redis, readTimeout: READ_TIMEOUT_MS, loaders: [item] });
  return { proxy, cache, item, loads };
}

/** Long enough that a reply of some of them comes in pieces. */
function longValue(id: string): string {
  return `${id} ${'value '.repeat(300)}`;
}

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

describe('a Redis that goes silent', () => {
  test('between the miss and the lock keeps the reader for readTimeout, then it loads', async () => {
    const { proxy, cache, item, loads } = await scene();
    cache.on('entry:missed', () => proxy.set(BLACKHOLE, 'all'));

    const elapsedMs = await tookMs(async () => {
      expect(await cache.getWithMeta(item, 'a')).toMatchObject({ state: 'uncached' });
    });

    expect(loads).toEqual(['a']);
    expect(elapsedMs).toBeLessThan(SOON_MS);
  });

  test('in mid-load keeps the reader for readTimeout; that nothing was stored is told later', async () => {
    const { cache, item } = await scene((proxy) => proxy.set(BLACKHOLE, 'all'));
    const [failed, completed] = [
      nextEvent(cache, 'store:failed'),
      nextEvent(cache, 'load:completed'),
    ];

    const elapsedMs = await tookMs(async () => {
      expect(await cache.get(item, 'a')).toBe(longValue('a'));
    });

    expect(elapsedMs).toBeLessThan(SOON_MS);
    expect(await failed).toMatchObject({ key: 'a', error: { code: 'REDIS_UNAVAILABLE' } });
    expect(await completed).toMatchObject({ key: 'a', stored: false });
  });

  test('for a moment at the end of a load gets the value all the same', async () => {
    const late = { kind: 'delay', ms: 3 * READ_TIMEOUT_MS } as const;
    const { proxy, cache, item, loads } = await scene((line) => line.set(late, 'all'));
    const completed = nextEvent(cache, 'load:completed');

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ state: 'uncached' });
    expect(await completed).toMatchObject({ key: 'a', stored: true });

    proxy.set(PASS, 'all');
    await expect
      .poll(() => cache.getWithMeta(item, 'a'), { timeout: 5_000 })
      .toMatchObject({ source: 'redis' });
    expect(loads).toEqual(['a']);
  });

  test('is not waited for again: one read at a time finds out whether it is back', async () => {
    const { proxy, cache, item, loads } = await scene();
    const [opened, failures] = [recorded(cache, 'breaker:opened'), recorded(cache, 'redis:failed')];
    proxy.set(BLACKHOLE, 'all');
    const ids = (name: string): string[] => Array.from({ length: 200 }, (_, at) => `${name}-${at}`);

    for (let read = 0; read < 5; read++) await cache.get(item, `slow-${read}`);
    expect(opened).toEqual([{ role: 'cache', node: '' }]);
    const elapsedMs = await tookMs(async () => {
      for (const id of ids('single')) await cache.get(item, id);
      await cache.getMany(item, ids('many'));
    });

    expect(loads).toHaveLength(405);
    // Each probe takes a read's time; without the breaker all 200 do.
    expect(elapsedMs).toBeLessThan(20 * READ_TIMEOUT_MS);
    expect(failures.length).toBeLessThan(12);
  });

  test('without hanging up is noticed within seconds', async () => {
    const { proxy, cache, item } = await scene();
    const closed = recorded(cache, 'breaker:closed');
    await cache.get(item, 'a');
    const { connections } = proxy;
    proxy.set(BLACKHOLE, 'all');
    for (let read = 0; read < 6; read++) await cache.get(item, `b-${read}`);
    proxy.set(PASS, 'new');

    await expect
      .poll(() => cache.getWithMeta(item, 'a'), { timeout: 9_000 })
      .toMatchObject({ source: 'redis' });
    expect(proxy.connections).toBeGreaterThan(connections);
    expect(closed).toEqual([{ role: 'cache', node: '' }]);
  });
});

describe('a line that is cut', () => {
  test('in mid-reply, again and again, costs loads, and no read its value', async () => {
    const { proxy, cache, item, loads } = await scene();
    const ids = Array.from({ length: 40 }, (_, at) => `key-${at}`);
    await cache.getMany(item, ids);
    // The replies of the handshake take 5 to 10 KB, a value takes 2.
    for (const afterBytes of [11_000, 14_500, 20_001, 40_000]) {
      const { connections } = proxy;
      proxy.set({ kind: 'cut', afterBytes }, 'new');
      proxy.reset();
      await expect
        .poll(
          async () => {
            const values = await Promise.all(ids.map((id) => cache.get(item, id)));
            expect(values).toEqual(ids.map(longValue));
            return proxy.connections;
          },
          { timeout: 10_000, interval: 10 },
        )
        .toBeGreaterThan(connections + 1);
    }
    expect(loads.length).toBeGreaterThan(ids.length);

    proxy.set(PASS, 'all');
    await expect
      .poll(() => cache.getWithMeta(item, 'key-0'), { timeout: 5_000 })
      .toMatchObject({ source: 'redis' });
  }, 60_000);
});

describe('a line that is slow', () => {
  test('but within readTimeout goes on being used', async () => {
    const { proxy, cache, item, loads } = await scene();
    const opened = recorded(cache, 'breaker:opened');
    proxy.set({ kind: 'delay', ms: READ_TIMEOUT_MS / 2 }, 'all');

    await Promise.all([cache.get(item, 'a'), cache.get(item, 'b')]);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ source: 'redis' });
    expect(loads.sort()).toEqual(['a', 'b']);
    expect(opened).toEqual([]);
  });

  test('beyond readTimeout is passed by, and used again once it is quick', async () => {
    const { proxy, cache, item, loads } = await scene();
    await cache.get(item, 'a');
    const opened = nextEvent(cache, 'breaker:opened');
    proxy.set({ kind: 'delay', ms: 2 * READ_TIMEOUT_MS }, 'all');

    for (let read = 0; read < 6; read++) {
      expect(await cache.getWithMeta(item, `b-${read}`)).toMatchObject({ state: 'uncached' });
    }
    await opened;
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ state: 'uncached' });
    expect(loads).toHaveLength(8);

    proxy.set(PASS, 'all');
    await expect
      .poll(() => cache.getWithMeta(item, 'a'), { timeout: 5_000 })
      .toMatchObject({ source: 'redis' });
  });
});
