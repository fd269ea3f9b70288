import { rmSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { gate, nextEvent, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';

interface Scene {
  readonly redis: Redis;
  readonly cache: Cache;
  readonly item: Loader<string, string>;
  readonly loads: string[];
}

/** A cache with an entry of 'known', on a server that a test may bring to refuse what it likes. */
async function scene(): Promise<Scene> {
  const server = await ownServer();
  const loads: string[] = [];
  const item = defineLoader({
    name: 'item',
    ttl: '10m',
    load: async (id: string) => {
      loads.push(id);
      return `the value of ${id}`;
    },
  });
  const cache = await openCache({ redis: server.url, loaders: [item] });
  await cache.get(item, 'known');
  return { redis: connect(server.url), cache, item, loads };
}

/** Reads that hit and reads that miss; each answers its key's value. */
async function readAround({ cache, item }: Scene, round: number): Promise<void> {
  const ids = ['known', `new-${round}`, `other-${round}`];
  const values = [
    ...(await Promise.all(ids.map((id) => cache.get(item, id)))),
    ...(await cache.getMany(item, ids)),
  ];
  expect(values).toEqual([...ids, ...ids].map((id) => `the value of ${id}`));
}

/** Brings a server to where its last save has failed: the place to save to is gone. */
async function failToSave(redis: Redis): Promise<void> {
  const [, place = ''] = (await redis.config('GET', 'dir')) as string[];
  rmSync(place, { recursive: true });
  await redis.config('SET', 'save', '3600 1000000');
  await redis.bgsave();
  await expect.poll(() => redis.info('persistence')).toContain('rdb_last_bgsave_status:err');
}

describe('a Redis that answers', () => {
  const faults: readonly (readonly [string, (redis: Redis) => Promise<unknown>])[] = [
    ['READONLY to writes', (redis) => redis.replicaof('127.0.0.1', 1)],
    [
      'MASTERDOWN to everything',
      async (redis) => {
        await redis.config('SET', 'replica-serve-stale-data', 'no');
        await redis.replicaof('127.0.0.1', 1);
      },
    ],
    ['OOM to writes', (redis) => redis.config('SET', 'maxmemory', 1)],
    ['NOREPLICAS to writes', (redis) => redis.config('SET', 'min-replicas-to-write', 1)],
    ['MISCONF to writes', failToSave],
    ['NOPERM to reads', (redis) => redis.acl('SETUSER', 'default', '-mget')],
    ['NOPERM to scripts', (redis) => redis.acl('SETUSER', 'default', '-evalsha', '-eval')],
    ['NOPERM to all it is asked', (redis) => redis.acl('SETUSER', 'default', '-@all', '+acl')],
  ];
  const repairs = async (redis: Redis): Promise<void> => {
    await redis.acl('SETUSER', 'default', '+@all');
    await redis.replicaof('NO', 'ONE');
    await redis.config('SET', 'maxmemory', 0);
    await redis.config('SET', 'min-replicas-to-write', 0);
    await redis.config('SET', 'save', '');
  };

  test.for(faults)(
    '%s gives every reader its value, and is used again when it does not',
    async ([, fault]) => {
      const all = await scene();
      const { redis, cache, item } = all;
      const failed = recorded(cache, 'load:failed');
      await fault(redis);
      for (let round = 0; round < 20; round++) await readAround(all, round);

      await repairs(redis);
      for (const id of ['known', 'new-0', 'after']) {
        await expect
          .poll(() => cache.getWithMeta(item, id), { timeout: 10_000 })
          .toMatchObject({ value: `the value of ${id}`, source: 'redis' });
      }
      expect(failed).toEqual([]);
    },
  );

  test.for(faults.filter(([name]) => /^(NOREPLICAS|MISCONF)/.test(name)))(
    '%s while a load runs answers its value, stores nothing, and refuses a set by its own words',
    async ([name, fault]) => {
      const server = await ownServer();
      const redis = connect(server.url);
      const [begun, finish] = [gate(), gate()];
      const slow = defineLoader({
        name: 'slow',
        ttl: '10m',
        load: async (id: string) => {
          begun.open();
          await finish.opened;
          return `the value of ${id}`;
        },
      });
      const reader = await openCache({ redis: server.url, loaders: [slow] });
      const failed = recorded(reader, 'load:failed');
      const unstored = nextEvent(reader, 'store:failed');
      const answer = reader.getWithMeta(slow, 'a');
      await begun.opened;
      await fault(redis);
      finish.open();

      expect(await answer).toMatchObject({ value: 'the value of a', state: 'uncached' });
      const words = String(name.split(' ')[0]);
      expect(await unstored).toMatchObject({ error: { message: expect.stringContaining(words) } });
      await expect(reader.set(slow, 'b', 'set')).rejects.toThrow(words);
      await repairs(redis);
      await reader.set(slow, 'b', 'set');
      await expect
        .poll(() => reader.getWithMeta(slow, 'a'), { timeout: 10_000 })
        .toMatchObject({ value: 'the value of a', source: 'redis' });
      expect((await reader.getWithMeta(slow, 'b')).value).toBe('set');
      expect(failed).toEqual([]);
    },
  );

  test('NOSCRIPT, its scripts being flushed all the time, stores every load', async () => {
    const all = await scene();
    const { redis, cache, loads } = all;
    const unstored = recorded(cache, 'store:failed');
    let isOver = false;
    const flushing = (async () => {
      while (!isOver) await redis.script('FLUSH');
    })();

    for (let round = 0; round < 100; round++) await readAround(all, round);
    isOver = true;
    await flushing;

    expect(unstored).toEqual([]);
    expect(loads).toHaveLength(201);
  });
});

test('a Redis that is loading its data is passed by until it has', async () => {
  const all = await scene();
  const { redis, cache, item } = all;
  const master = await ownServer();
  const pipeline = connect(master.url).pipeline();
  for (let key = 0; key < 2_000; key++) pipeline.set(`filler-${key}`, key);
  await pipeline.exec();
  await connect(master.url).config('SET', 'repl-diskless-sync-delay', 0);
  // A replica takes its master's keys over: here 1 ms each, and it answers LOADING meanwhile.
  await redis.config('SET', 'key-load-delay', 1_000);
  await redis.config('SET', 'loading-process-events-interval-bytes', 1_024);
  await redis.replicaof('127.0.0.1', master.port);

  const info = (): Promise<string> => redis.info('replication', 'persistence');
  let roundsWhileLoading = 0;
  for (let round = 0; !/master_link_status:up/.test(await info()); round++) {
    if (/^loading:1/m.test(await info())) roundsWhileLoading++;
    await readAround(all, round);
  }
  expect(roundsWhileLoading).toBeGreaterThan(5);
  await redis.replicaof('NO', 'ONE');

  await expect
    .poll(() => cache.getWithMeta(item, 'known'), { timeout: 20_000 })
    .toMatchObject({ source: 'redis' });
}, 60_000);
