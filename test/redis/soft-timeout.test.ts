import { beforeEach, describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
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
import { leavesNoRejections } from '../helpers/unhandled.ts';

const unhandled = leavesNoRejections();

let namespace: string;
let held: Gate;
let loads: string[];
let origin: { isDown: boolean };
let item: Loader<string, string>;
beforeEach(() => {
  namespace = uniqueNamespace();
  held = gate();
  loads = [];
  origin = { isDown: false };
  const load = async (ids: readonly string[]): Promise<string[]> => {
    loads.push(...ids);
    await held.opened;
    if (origin.isDown) throw new Error('origin is down');
    return ids.map((id) => `${id} new`);
  };
  item = defineLoader({
    name: 'item',
    ttl: '1m',
    loadTimeout: { soft: 30, hard: '20s' },
    load: async (id: string) => String(await load([id])),
    loadMany: load,
  });
});

async function withExpired(...keys: readonly string[]): Promise<Cache> {
  for (const key of keys) {
    const expiresAtMs = Date.now() - 1_000;
    const bytes = entryBytes(`${key} old`, { createdAtMs: expiresAtMs - 60_000, expiresAtMs });
    await connect().set(entryKey(namespace, item, key), bytes, 'PX', 60_000);
  }
  return openCache({ namespace, loaders: [item] });
}

const slow = { value: 'a old', source: 'redis', state: 'stale', staleBecause: 'load-slow' };

describe('after the soft timeout', () => {
  test('a reader gets the stale value, and the load goes on and is stored', async () => {
    const cache = await withExpired('a');
    const loaded = nextEvent(cache, 'load:completed');

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(slow);
    held.open();

    expect(await loaded).toMatchObject({ reason: 'miss', stored: true });
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a new', source: 'redis' });
    expect(loads).toEqual(['a']);
  });

  test('so does each reader who joins, and each is told of once, also if the load fails then', async () => {
    const cache = await withExpired('a');
    const served = recorded(cache, 'stale:served');
    const failed = nextEvent(cache, 'load:failed');
    origin.isDown = true;

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(slow);
    const [one, two] = [cache.getWithMeta(item, 'a'), cache.getMany(item, ['a'])];
    expect(await one).toMatchObject(slow);
    expect(await two).toEqual(['a old']);
    expect(loads).toEqual(['a']);
    held.open();
    await failed;
    await new Promise((resolve) => setImmediate(resolve)); // The flight's own end, and unhandled ones.

    expect(served.map(({ why }) => why)).toEqual(['load-slow', 'load-slow', 'load-slow']);
    expect(unhandled).toEqual([]);
  });

  test('the keys of a getMany that have a stale value get it', async () => {
    const cache = await withExpired('a', 'b');
    const served = recorded(cache, 'stale:served');

    expect(await cache.getMany(item, ['a', 'b'])).toEqual(['a old', 'b old']);
    expect(served.map(({ key, why }) => [key, why])).toEqual([
      ['a', 'load-slow'],
      ['b', 'load-slow'],
    ]);
    held.open();
  });

  test('a reader without a stale value goes on waiting', async () => {
    const cache = await withExpired('a');
    const both = cache.getMany(item, ['a', 'none']);
    expect(await cache.get(item, 'a')).toBe('a old');
    held.open();

    expect(await both).toEqual(['a old', 'none new']);
  });
});

test('loads that are quicker than the soft timeout are the answers, and leave no timers', async () => {
  const patient = defineLoader({
    name: 'patient',
    ttl: '1m',
    loadTimeout: { soft: '15s', hard: '20s' },
    load: async (id: string) => `${id} new`,
  });
  const keys = Array.from({ length: 50 }, (_, at) => `k${at}`);
  for (const key of keys) {
    const bytes = entryBytes('old', { createdAtMs: 1, expiresAtMs: Date.now() - 1_000 });
    await connect().set(entryKey(namespace, patient, key), bytes, 'PX', 60_000);
  }
  const cache = await openCache({ namespace, loaders: [patient] });
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();

  const values = await Promise.all(keys.map((key) => cache.get(patient, key)));

  expect(values).toEqual(keys.map((key) => `${key} new`));
  // Some of the cache's own come and go.
  await expect.poll(timers).toBeLessThan(before + keys.length / 2);
});
