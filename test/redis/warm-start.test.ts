import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Cache, createCache, defineLoader } from '../../src/index.ts';
import { History } from '../../src/redis/history.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { entryKey, gate, openCache, ownServer } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const HOUR_MS = 3_600_000;
let namespace: string;
let loads: string[];

const item = defineLoader({
  name: 'item',
  ttl: '1h',
  load: async (id: string, { reason }) => {
    loads.push(`${reason} ${id}`);
    if (id.startsWith('bad')) throw new Error('no luck');
    return `${id}!`;
  },
});

beforeEach(() => {
  namespace = uniqueNamespace();
  loads = [];
});

/** A tracker in which keys were read so often. */
async function read(reads: Readonly<Record<string, number>>, loader = item): Promise<Tracker> {
  const tracker = new Tracker(connect(), new Keys(namespace), loader);
  await tracker.record(
    Object.entries(reads).map(([key, count]) => ({ key, reads: count, expiresAtMs: 0 })),
    { nowMs: Date.now(), lookAheadMs: HOUR_MS },
  );
  return tracker;
}

/** A cache that is just starting. */
function starting(options: Parameters<typeof createCache>[0] = {}): Cache {
  const warmOnStart = { hottest: 2 };
  const cache = createCache({
    redis: redisUrl(),
    namespace,
    loaders: [item],
    warmOnStart,
    ...options,
  });
  onTestFinished(() => cache.close());
  return cache;
}

describe('a cache that warms on start', () => {
  it('loads so many of the hottest keys into a wiped cache, before ready({ warm }) resolves', async () => {
    await read({ cold: 1, hot: 9, warm: 5 });
    expect(await starting().ready({ warm: true })).toBe('warm');
    expect(loads.sort()).toEqual(['warm hot', 'warm warm']);
    expect(await connect().exists(entryKey(namespace, item, 'hot'))).toBe(1);
    expect(await starting().ready({ warm: true })).toBe('warm');
    expect(loads).toHaveLength(2);
  });

  it('takes the keys of the last hour that was written down where the tracker was wiped', async () => {
    const tracker = await read({ cold: 1, hot: 9, warm: 5 });
    const history = new History({
      redis: connect(),
      keys: new Keys(namespace),
      loader: item,
      tracker,
    });
    await history.record(Math.floor(Date.now() / HOUR_MS) - 5, Date.now());
    await connect().del(tracker.heatKey);
    expect(await starting().ready({ warm: true })).toBe('warm');
    expect(loads.sort()).toEqual(['warm hot', 'warm warm']);
  });

  it('is warm at once where nothing is known', async () => {
    expect(await starting().ready({ warm: true })).toBe('warm');
    expect(loads).toEqual([]);
  });

  it('passes over what is no key, and what cannot be loaded', async () => {
    await read({ '{"b":1, "a":2}': 9, bad: 8, hot: 7 });
    expect(await starting({ warmOnStart: { hottest: 10 } }).ready({ warm: true })).toBe('warm');
    expect(loads.sort()).toEqual(['warm bad', 'warm hot']);
  });

  it('has failed where no key of a loader could be loaded', async () => {
    await read({ bad: 2, 'bad too': 1 });
    expect(await starting().ready({ warm: true })).toBe('failed');
  });

  it('reads while it warms, and says when the time is up', async () => {
    const held = gate();
    const slow = defineLoader({
      name: 'slow',
      ttl: '1h',
      load: async (id: string, { reason }) => {
        if (reason === 'warm') await held.opened;
        return `${id}!`;
      },
    });
    await read({ hot: 9 }, slow);
    const cache = starting({ loaders: [slow] });
    expect(await cache.ready({ warm: true, timeout: '10ms' })).toBe('timeout');
    expect(await cache.get(slow, 'other')).toBe('other!');
    held.open();
    expect(await cache.ready({ warm: true })).toBe('warm');
  });

  it('keeps to what warm-ups may take of the origin’s budget', async () => {
    let running = 0;
    let most = 0;
    const lean = defineLoader({
      name: 'lean',
      ttl: '1h',
      origin: { concurrency: 4 },
      load: async (id: string) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5)); // So that calls overlap.
        running--;
        return id;
      },
    });
    await read(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`key-${at}`, 1])), lean);
    const cache = starting({ loaders: [lean], warmOnStart: { hottest: 20 } });
    expect(await cache.ready({ warm: true })).toBe('warm');
    expect(most).toBe(2);
  });

  it('leaves loaders without refreshing alone', async () => {
    await read({ hot: 9 });
    const off = defineLoader({ name: 'item', ttl: '1h', refresh: false, load: item.load });
    expect(await starting({ loaders: [off] }).ready({ warm: true })).toBe('warm');
    expect(loads).toEqual([]);
  });

  it('tries again where the hottest keys cannot be read', async () => {
    const { heatKey } = new Tracker(connect(), new Keys(namespace), item);
    await connect().set(heatKey, 'no heat');
    const cache = starting();
    await cache.ready();
    expect(await cache.ready({ warm: true, timeout: 0 })).toBe('timeout');
    await connect().del(heatKey);
    await read({ hot: 9 });
    expect(await cache.ready({ warm: true })).toBe('warm');
    expect(loads).toEqual(['warm hot']);
  });

  it('never rejects while Redis is away, and ends with the cache', async () => {
    const server = await ownServer();
    await server.close();
    const cache = starting({ redis: server.url });
    expect(await cache.ready({ warm: true, timeout: '50ms' })).toBe('timeout');
    const waiting = cache.ready({ warm: true });
    const started = cache.ready().then(() => 'only once the start is over');
    await cache.close();
    expect(await Promise.race([waiting, started])).toBe('failed');
  });

  it('rejects as ready() does where it is strict and its server unsuitable', async () => {
    const evicting = await ownServer('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lfu');
    const cache = starting({ redis: evicting.url, strict: true });
    await expect(cache.ready({ warm: true })).rejects.toMatchObject({ code: 'REDIS_UNSUITABLE' });
  });
});

it('refuses bad options of ready', async () => {
  const cache = await openCache({ loaders: [item] });
  const ready = cache.ready as (options: unknown) => Promise<unknown>;
  const refused = (options: unknown, message: string): Promise<void> =>
    expect(ready.call(cache, options)).rejects.toThrow(message);
  await refused({ warm: true }, '`warm` (true) needs `warmOnStart` of createCache');
  await refused({ timeout: '1s' }, '`warm` (undefined) must be true');
  await refused({ warm: true, timeout: 'soon' }, '`timeout` ("soon") must be a duration');
  await refused('warm', '`options` ("warm") must be an object');
});
