import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Cache, defineLoader, type LoaderDefinition } from '../../src/index.ts';
import { entryBytes, entryKey, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { openRefreshing } from '../helpers/refreshing.ts';
import { startRefreshers } from '../helpers/roles.ts';

type Value = string | undefined;

let namespace: string;
/** What the origin has nothing for: every key, or some. */
let missing: (id: string) => boolean;
beforeEach(() => {
  namespace = uniqueNamespace();
  missing = () => false;
});

function guarded(more: Partial<LoaderDefinition<string, Value>> = {}) {
  return defineLoader<string, Value>({
    name: 'item',
    ttl: '1m',
    emptyGuard: true,
    load: async (id) => (missing(id) ? undefined : `${id} new`),
    ...more,
  });
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `k${at}`);

/** Entries that have just expired. */
async function plant(ids: readonly string[]): Promise<void> {
  const redis = connect();
  const expiresAtMs = Date.now() - 500;
  const at = { createdAtMs: expiresAtMs - 60_000, expiresAtMs };
  const item = { name: 'item', version: 1, ttlMs: 60_000, staleIfErrorMs: 60_000 };
  const pipeline = redis.pipeline();
  for (const id of ids) {
    pipeline.set(entryKey(namespace, item, id), entryBytes(`${id} old`, at), 'PX', 60_000);
  }
  await pipeline.exec();
}

async function kept(ids: readonly string[]): Promise<number> {
  const item = { name: 'item', version: 1, ttlMs: 60_000, staleIfErrorMs: 60_000 };
  return connect().exists(ids.map((id) => entryKey(namespace, item, id)));
}

async function readEach(cache: Cache, item: ReturnType<typeof guarded>, ids: readonly string[]) {
  const values: Value[] = [];
  for (const id of ids) values.push(await cache.get(item, id));
  return values;
}

describe('a loader that suddenly finds nothing', () => {
  test('loses at most 10 values of 200, whatever it answered before; it is told why', async () => {
    const item = guarded();
    const ids = numbered(200);
    const cache = await openCache({ namespace, loaders: [item] });
    await plant(ids);
    expect(await readEach(cache, item, ids)).toEqual(ids.map((id) => `${id} new`));
    await plant(ids);
    const failed = recorded(cache, 'load:failed');
    missing = () => true;

    const values = await readEach(cache, item, ids);

    const lost = values.filter((value) => value === undefined).length;
    expect(lost).toBeLessThanOrEqual(10);
    expect(values.filter((value) => value?.endsWith('old'))).toHaveLength(200 - lost);
    expect(await kept(ids)).toBe(200 - lost);
    expect(failed).toHaveLength(200 - lost);
    expect(failed[0]?.error).toMatchObject({
      code: 'EMPTY_GUARD',
      message:
        'loader "item" found nothing for key k9, as for 50 % of late keys that had a value: not believed (emptyGuard)',
    });
  });

  test('is believed again when it is right again', async () => {
    const item = guarded();
    const ids = numbered(100);
    const cache = await openCache({ namespace, loaders: [item] });
    await plant(ids);
    missing = () => true;
    await readEach(cache, item, ids);
    missing = (id) => id === 'k99';

    const left = (await readEach(cache, item, ids)).filter((value) => value === undefined);
    expect(left).toHaveLength(1);
    expect(await kept(ids)).toBe(99);
  });

  test('of many keys by loadMany loses no more', async () => {
    const item = guarded({
      loadMany: async (ids) => ids.map((id) => (missing(id) ? undefined : id)),
    });
    const ids = numbered(200);
    const cache = await openCache({ namespace, loaders: [item] });
    await plant(ids);
    missing = () => true;

    const values = await cache.getMany(item, ids);

    expect(values.filter((value) => value === undefined).length).toBeLessThanOrEqual(10);
    expect(await kept(ids)).toBeGreaterThanOrEqual(190);
  });

  test('does not have that stored either where it is given a ttl', async () => {
    const item = guarded({ notFoundTtl: '1m', emptyGuard: { atLeast: 3 } });
    const ids = numbered(20);
    const cache = await openCache({ namespace, loaders: [item] });
    await plant(ids);
    missing = () => true;

    const values = await readEach(cache, item, ids);
    expect(values.filter((value) => value === undefined).length).toBeLessThanOrEqual(3);
  });

  test('without the guard loses all', async () => {
    const item = guarded({ emptyGuard: false });
    const ids = numbered(50);
    const cache = await openCache({ namespace, loaders: [item] });
    await plant(ids);
    missing = () => true;

    expect(await readEach(cache, item, ids)).toEqual(Array(50).fill(undefined));
    expect(await kept(ids)).toBe(0);
  });
});

test('single keys that are really gone go: they are no outage', async () => {
  const item = guarded();
  const ids = numbered(100);
  const cache = await openCache({ namespace, loaders: [item] });
  await plant(ids);
  missing = (id) => id.endsWith('3');

  const values = await readEach(cache, item, ids);

  expect(values.filter((value) => value === undefined)).toHaveLength(10);
  expect(await kept(ids)).toBe(90);
});

test('keys that never had a value say nothing of the loader', async () => {
  const item = guarded();
  const cache = await openCache({ namespace, loaders: [item] });
  missing = () => true;
  await readEach(cache, item, numbered(50));
  await plant(['real']);

  expect(await cache.get(item, 'real')).toBeUndefined();
});

test('a value whose time to stand in is over is not kept by the guard: the error is told', async () => {
  const item = guarded({ emptyGuard: { atLeast: 1 }, staleIfError: 0, staleWhileRevalidate: 0 });
  const cache = await openCache({ namespace, loaders: [item] });
  await plant(['a']);
  missing = () => true;

  await expect(cache.get(item, 'a')).rejects.toMatchObject({ code: 'EMPTY_GUARD' });
});

test('a refresh that is not believed has failed: the value stays, and it is tried again later', async () => {
  const item = guarded({ emptyGuard: { atLeast: 1 } });
  const cache = await openCache({ namespace, loaders: [item] });
  await cache.set(item, 'a', 'good');
  missing = () => true;
  const { worker, refresh } = await openRefreshing(namespace, item);
  const failed = nextEvent(worker, 'refresh:failed');
  const { ageMs } = await cache.getWithMeta(item, 'a');
  expect(ageMs).toBeGreaterThanOrEqual(0);
  const bytes = await connect().getBuffer(entryKey(namespace, item, 'a'));

  await refresh('a', bytes?.readUIntBE(4, 6) ?? 0);

  const { error, retryAtMs } = await failed;
  expect(error).toMatchObject({ code: 'EMPTY_GUARD' });
  expect(retryAtMs).toBeGreaterThan(Date.now() - 1_000);
  expect(await cache.get(item, 'a')).toBe('good');
});

test('a hot key of a loader that finds nothing any more stays warm through its refreshes', async () => {
  const item = guarded({ ttl: '1s', emptyGuard: { atLeast: 1 }, refresh: { threshold: 2 } });
  const roles = { redis: redisUrl(), namespace, loaders: [item] };
  const cache = await openCache({ namespace, loaders: [item] });
  const { worker } = await startRefreshers(roles);
  const refreshed = nextEvent(worker, 'refresh:completed');
  const values = new Set<Value>();
  const reads = setInterval(() => void cache.get(item, 'a').then((value) => values.add(value)), 20);
  onTestFinished(() => clearInterval(reads));
  await refreshed;
  const failed = recorded(worker, 'refresh:failed');
  missing = () => true;

  await expect.poll(() => failed.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);

  expect([...values]).toEqual(['a new']);
}, 20_000);
