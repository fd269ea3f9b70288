import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Cache,
  defineLoader,
  type EventMap,
  type Loader,
  type LoaderDefinition,
} from '../../src/index.ts';
import type { EntryHeader } from '../../src/redis/entry.ts';
import {
  entryBytes,
  entryKey,
  type Gate,
  gate,
  nextEvent,
  openCache,
  recorded,
} from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => {
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

let namespace: string;
let held: Gate;
let loads: string[];
beforeEach(() => {
  namespace = uniqueNamespace();
  held = gate();
  loads = [];
});

type Options = Partial<LoaderDefinition<string, string>>;

/** A loader whose loads wait for the gate, then answer, or fail when `isDown`. */
function gated(options: Options = {}, origin: { isDown: boolean } = { isDown: false }) {
  return defineLoader<string, string>({
    name: 'item',
    ttl: '1m',
    load: async (id) => {
      loads.push(id);
      await held.opened;
      if (origin.isDown) throw new Error('origin is down');
      return `${id} new`;
    },
    ...options,
  });
}

/** Puts an entry that expired so long ago, or will in as long if that is negative. */
async function plantExpired(
  loader: Loader<string, string>,
  agoMs: number,
  { key = 'a', ...header }: Partial<EntryHeader> & { key?: string } = {},
): Promise<void> {
  const expiresAtMs = Date.now() - agoMs;
  const bytes = entryBytes(`${key} old`, {
    createdAtMs: expiresAtMs - 60_000,
    expiresAtMs,
    ...header,
  });
  await connect().set(entryKey(namespace, loader, key), bytes, 'PX', 60_000);
}

const open = (loader: Loader<string, string>): Promise<Cache> =>
  openCache({ namespace, loaders: [loader] });

const old = (staleBecause: string) => ({
  value: 'a old',
  source: 'redis',
  state: 'stale',
  staleBecause,
});

const why = (events: readonly EventMap['stale:served'][]): string[] =>
  events.map((event) => event.why);

describe('an expired value within staleWhileRevalidate', () => {
  test('is answered at once, to all, while one load runs; then the new one is', async () => {
    const item = gated({ staleWhileRevalidate: '10s' });
    await plantExpired(item, 1_000);
    const cache = await open(item);
    const served = recorded(cache, 'stale:served');
    const missed = recorded(cache, 'entry:missed');
    const loaded = nextEvent(cache, 'load:completed');

    const metas = await Promise.all(
      Array.from({ length: 100 }, () => cache.getWithMeta(item, 'a')),
    );

    for (const meta of metas) expect(meta).toMatchObject(old('revalidating'));
    await expect.poll(() => loads).toEqual(['a']);
    held.open();
    expect(await loaded).toMatchObject({ reason: 'refresh', stored: true });
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', state: 'fresh' });
    expect(why(served)).toEqual(Array(100).fill('revalidating'));
    expect(missed).toEqual([]);
    expect(loads).toEqual(['a']);
  });

  test('is loaded once in the fleet, for get and getMany alike', async () => {
    const item = gated({ staleWhileRevalidate: '10s' });
    await plantExpired(item, 1_000);
    await plantExpired(item, 1_000, { key: 'b' });
    const caches = await Promise.all([open(item), open(item), open(item)]);
    const served = caches.map((cache) => recorded(cache, 'stale:served'));
    const completed = caches.map((cache) => recorded(cache, 'load:completed'));

    await Promise.all(caches.map((cache) => cache.get(item, 'a')));
    await Promise.all(caches.map((cache) => cache.getMany(item, ['a', 'b', 'a'])));
    await expect.poll(() => [...loads].sort()).toEqual(['a', 'b']);
    held.open();
    await expect.poll(() => completed.flat()).toHaveLength(2);

    expect(await Promise.all(caches.map((cache) => cache.get(item, 'a')))).toEqual(
      Array(3).fill('a new'),
    );
    // Of each cache: one get, and a getMany that reads each key once.
    expect(served.map((events) => events.map(({ key }) => key).sort())).toEqual(
      Array(3).fill(['a', 'a', 'b']),
    );
    expect([...loads].sort()).toEqual(['a', 'b']);
  });

  test('is loaded at most 8 at a time in a process; the others are answered all the same', async () => {
    const item = gated({ staleWhileRevalidate: '30s' });
    const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
    for (const key of keys) await plantExpired(item, 1_000, { key });
    const cache = await open(item);

    const values = await cache.getMany(item, keys);
    expect(values).toEqual(keys.map((key) => `${key} old`));
    await expect.poll(() => loads.length).toBe(8);
    await cache.getMany(item, keys);

    expect(loads).toEqual(keys.slice(0, 8));
    held.open();
  });

  test('goes on being answered while its loads fail, which the fleet tries once a second', async () => {
    const item = gated({ staleWhileRevalidate: '30s' }, { isDown: true });
    await plantExpired(item, 1_000);
    const caches = await Promise.all([open(item), open(item), open(item)]);
    const failed = caches.map((cache) => recorded(cache, 'load:failed'));
    held.open();

    const [first] = caches;
    expect(await first?.getWithMeta(item, 'a')).toMatchObject(old('revalidating'));
    await expect.poll(() => failed.flat()).toMatchObject([{ reason: 'refresh' }]);
    for (const cache of caches) expect(await cache.get(item, 'a')).toBe('a old');
    // A read after the questions for the lock, on the same connections.
    for (const cache of caches) expect(await cache.get(item, 'a')).toBe('a old');
    expect(loads).toEqual(['a']);

    await expect
      .poll(async () => {
        await Promise.all(caches.map((cache) => cache.get(item, 'a')));
        return loads.length;
      })
      .toBe(2);
  });

  test('is no answer any more once that time is over: the reader waits for the load', async () => {
    const item = gated({ staleWhileRevalidate: '1s', staleIfError: '30s' });
    await plantExpired(item, 1_001);
    const cache = await open(item);
    held.open();

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', source: 'loader' });
  });
});

describe('a softly invalidated value', () => {
  const soft = { invalidated: true };

  test.for<[string, number, Options]>([
    ['before its expiry', -30_000, {}],
    ['after it, within staleWhileRevalidate', 1_000, { staleWhileRevalidate: '10s' }],
  ])('%s is answered at once while one load runs', async ([, agoMs, options]) => {
    const item = gated(options);
    await plantExpired(item, agoMs, soft);
    const cache = await open(item);
    const loaded = nextEvent(cache, 'load:completed');

    for (let read = 0; read < 5; read++) {
      expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('invalidated'));
    }
    await expect.poll(() => loads).toEqual(['a']);
    held.open();
    await loaded;

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', state: 'fresh' });
    expect(loads).toEqual(['a']);
  });

  test('after its expiry answers only for a load that fails, within staleIfError', async () => {
    const origin = { isDown: true };
    const item = gated({ staleIfError: '10s' }, origin);
    held.open();
    await plantExpired(item, 1_000, soft);
    const cache = await open(item);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('load-failed'));
    await plantExpired(item, 10_001, soft);
    await expect(cache.get(item, 'a')).rejects.toMatchObject({ code: 'LOADER_FAILED' });
    origin.isDown = false;
    await plantExpired(item, 1_000, soft);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', state: 'fresh' });
  });

  test('of a loader without refreshes is a miss that it may stand in for', async () => {
    const item = gated({ refresh: false }, { isDown: true });
    held.open();
    await plantExpired(item, -30_000, soft);
    const cache = await open(item);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('load-failed'));
  });
});

describe('an expired value within staleIfError', () => {
  test('answers for a load that times out, once told for each reader', async () => {
    const item = gated({ loadTimeout: 50 });
    await plantExpired(item, 1_000);
    const cache = await open(item);
    const served = recorded(cache, 'stale:served');

    const metas = await Promise.all([cache.getWithMeta(item, 'a'), cache.getWithMeta(item, 'a')]);

    expect(metas).toMatchObject([old('load-failed'), old('load-failed')]);
    expect(why(served)).toEqual(['load-failed', 'load-failed']);
    expect(loads).toEqual(['a']);
  });

  test('answers while another process holds the lock for too long', async () => {
    const item = gated();
    await plantExpired(item, 1_000);
    const cache = await open(item);
    const served = recorded(cache, 'stale:served');
    await connect().set(`${entryKey(namespace, item, 'a')}:lock`, 'hung', 'PX', 60_000);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('lock-held'));
    expect(why(served)).toEqual(['lock-held']);
    expect(loads).toEqual([]);
  });

  test('answers one who joins a load that has nothing to stand in', async () => {
    const item = gated({}, { isDown: true });
    const cache = await open(item);
    const missing = cache.getWithMeta(item, 'a').catch((error: unknown) => error);
    await expect.poll(() => loads).toEqual(['a']);
    await plantExpired(item, 1_000);
    const missed = nextEvent(cache, 'entry:missed');
    const joining = cache.getWithMeta(item, 'a');
    expect(await missed).toMatchObject({ cause: 'expired' });
    held.open();

    expect(await missing).toMatchObject({ code: 'LOADER_FAILED' });
    expect(await joining).toMatchObject(old('load-failed'));
  });

  test('that was replaced by one expired later while a reader waits is not the one to answer', async () => {
    const origin = { isDown: true };
    const item = gated({ staleIfError: '30s' }, origin);
    await plantExpired(item, 20_000);
    const cache = await open(item);
    const redis = connect();
    const lockKey = `${entryKey(namespace, item, 'a')}:lock`;
    await redis.set(lockKey, 'another', 'PX', 60_000);
    const reading = cache.getWithMeta(item, 'a');
    await expect.poll(() => redis.get(lockKey)).toBe('another!'); // It waits.
    const newer = entryBytes('a newer', { expiresAtMs: Date.now() - 1_000 });
    await redis.set(entryKey(namespace, item, 'a'), newer, 'PX', 60_000);
    await redis.del(lockKey);
    held.open();

    expect(await reading).toMatchObject({ value: 'a newer', staleBecause: 'load-failed' });
  });
});

test('no value is answered past its life and the staleness allowed, whatever its ages', async () => {
  const lives = [
    { name: 'l1', staleWhileRevalidate: 0, staleIfError: 0 },
    { name: 'l2', staleWhileRevalidate: 3_000, staleIfError: 0 },
    { name: 'l3', staleWhileRevalidate: 0, staleIfError: 3_000 },
    { name: 'l4', staleWhileRevalidate: 3_000, staleIfError: 9_000 },
    { name: 'l5', staleIfError: 9_000, staleWhileRevalidate: 9_000, maxStaleness: 9_000 },
  ];
  held.open();
  const loaders = lives.map((life) => gated(life, { isDown: true }));
  const cache = await openCache({ namespace, loaders });
  for (const loader of loaders) {
    const { staleWhileRevalidateMs, staleIfErrorMs } = loader;
    for (const invalidated of [false, true]) {
      for (const agoMs of [-20_000, 0, 1_500, 4_500, 9_001, 30_000]) {
        const key = `${agoMs} ${invalidated}`;
        await plantExpired(loader, agoMs, { key, invalidated });
        const isAllowed = agoMs < Math.max(staleWhileRevalidateMs, staleIfErrorMs);
        const read = await cache.get(loader, key).catch((error: { code: string }) => error.code);
        const isServed = read === `${key} old`;
        expect({ key, name: loader.name, isServed }).toEqual({
          key,
          name: loader.name,
          isServed: agoMs < 0 || isAllowed,
        });
      }
    }
  }
});
