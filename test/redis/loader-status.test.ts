import { expect, onTestFinished, test } from 'vitest';
import { countEntries } from '../../src/cli/count-entries.ts';
import type { Session } from '../../src/cli/session.ts';
import { resolveRedis } from '../../src/config/redis-option.ts';
import { Events } from '../../src/core/events.ts';
import type { Invalidation } from '../../src/core/invalidation.ts';
import { defineLoader } from '../../src/index.ts';
import { readHotKeys } from '../../src/observe/hot-keys.ts';
import { readLoaderStatus } from '../../src/observe/loader-status.ts';
import { Keys } from '../../src/redis/keys.ts';
import { RoleServers } from '../../src/redis/role-servers.ts';
import { openCache } from '../helpers/cache.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({
  name: 'item',
  ttl: '1m',
  origin: { concurrency: 5 },
  tags: (id: string) => [`first:${id[0]}`, 'all'],
  load: (id: string) => id,
});

/** What a command has of Redis, closed with the test. */
async function openSession(namespace: string): Promise<Session> {
  const redis = resolveRedis(redisUrl());
  const events = new Events();
  const servers = new RoleServers({ redis, strict: false, name: 'cli', events });
  onTestFinished(() => servers.close());
  await servers.ready();
  return { servers, redis, events, keys: new Keys(namespace) };
}

function partsOf({ servers: { cache, queue, clock }, keys }: Session) {
  return { cache, queue, clock, keys };
}

test('a loader nobody has used yet has a status, and no hot keys', async () => {
  const parts = partsOf(await openSession(uniqueNamespace()));

  expect(await readLoaderStatus(parts, item)).toEqual({
    loader: 'item',
    version: 1,
    atMs: expect.closeTo(Date.now(), -4),
    mode: 'active',
    pausedAtMs: null,
    trackedKeys: 0,
    hotKeys: 0,
    failingKeys: 0,
    threshold: 8,
    load: null,
    queueWait: null,
    backlogKeys: 0,
    lives: { used: 0, wasted: 0 },
    reads: null,
    loads: { loadsPerSecond: 0, landedPerSecond: 0, late: 0, leadMs: null },
    origin: expect.objectContaining({ breaker: 'closed', inFlight: 0 }),
    seen: { schedulerAtMs: null, shadowAtMs: null, workerAtMs: null },
  });
  expect(await readHotKeys(parts, item, 10)).toEqual([]);
});

test('the hottest keys come first, with what is left of their lives and when they are looked at', async () => {
  const namespace = uniqueNamespace();
  const parts = partsOf(await openSession(namespace));
  const cache = await openCache({ namespace, loaders: [item], flushInterval: '100ms' });
  for (let reads = 0; reads < 20; reads++) await cache.get(item, 'hot');
  for (let reads = 0; reads < 3; reads++) await cache.get(item, 'warm');
  await cache.get(item, 'cold');
  await cache.explain(item, 'hot'); // Sends the reads.

  const keys = await readHotKeys(parts, item, 2);
  expect(keys.map(({ key }) => key)).toEqual(['hot', 'warm']);
  expect(keys[0]).toMatchObject({ state: 'fresh', due: { kind: 'look' } });
  expect(keys[0]?.recentReads).toBeGreaterThan(15);
  expect(keys[0]?.remainingMs).toBeGreaterThan(30_000);
  await cache.invalidate(item, 'hot');
  expect((await readHotKeys(parts, item, 1))[0]).toMatchObject({
    key: 'hot',
    state: 'missing',
    remainingMs: null,
  });
  await cache.pauseRefresh(item);
  expect(await readLoaderStatus(parts, item)).toMatchObject({
    trackedKeys: 3,
    hotKeys: 1,
    pausedAtMs: expect.any(Number),
  });
});

test('what an invalidation would find is counted, and left alone', async () => {
  const namespace = uniqueNamespace();
  const session = await openSession(namespace);
  const cache = await openCache({ namespace, loaders: [item] });
  for (const id of ['apple', 'avocado', 'pear']) await cache.get(item, id);
  const count = (what: object): Promise<number> =>
    countEntries({ soft: false, ...what } as Invalidation, session);

  // The cache says which versions it has once it is connected.
  const keys = { kind: 'keys', loader: 'item', keys: ['apple', 'pear', 'none'] };
  await expect.poll(() => count(keys)).toBe(2);
  expect(await count({ kind: 'tags', tags: ['first:a'] })).toBe(2);
  expect(await count({ kind: 'tags', tags: ['first:a', 'all'] })).toBe(3);
  expect(await count({ kind: 'pattern', loader: 'item', glob: 'a*' })).toBe(2);
  expect(await count({ kind: 'loader', loader: 'item', version: null })).toBe(3);
  expect(await count({ kind: 'loader', loader: 'other', version: null })).toBe(0);
  expect(await count({ kind: 'namespace' })).toBe(3);
  expect(await cache.getWithMeta(item, 'apple')).toMatchObject({ value: 'apple' });
  await cache.invalidate(item, 'apple');
  expect(await count({ kind: 'tags', tags: ['all'] })).toBe(2);
});
