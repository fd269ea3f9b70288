import { describe, expect, test } from 'vitest';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { commandCalls, ownServer } from '../helpers/cache.ts';
import {
  bytesOf,
  CREATED_AT_MS,
  eachWithPlace,
  LIFE_MS,
  newer,
  place,
  plant,
  redis,
  request,
  store,
  stored,
} from '../helpers/entry-place.ts';
import { connect } from '../helpers/redis.ts';

eachWithPlace();

describe('committing', () => {
  const commit = (value: string): Promise<string> =>
    store.commit(place, 'A', { bytes: bytesOf(value), lifeMs: LIFE_MS - 0.5 });

  test('writes the entry for its life, and frees the lock', async () => {
    await store.acquire(place, request('A'));
    expect(await commit('new')).toBe('written');
    expect(await stored()).toBe('new');
    expect(await redis.pttl(place.entryKey)).toBeGreaterThan(LIFE_MS - 1_000);
    expect(await redis.exists(place.lockKey)).toBe(0);
  });

  test('is refused without the lock, and changes nothing', async () => {
    await plant(bytesOf('old', { createdAtMs: CREATED_AT_MS - 1 }));
    await store.acquire(place, request('B', { seenCreatedAtMs: CREATED_AT_MS - 1 }));
    expect(await commit('new')).toBe('refused');
    expect(await stored()).toBe('old');
    expect(await redis.get(place.lockKey)).toBe('B');
  });

  test('of nothing found removes the entry and tells those who wait', async () => {
    await plant(bytesOf('old'));
    await store.acquire(place, request('A', { seenCreatedAtMs: CREATED_AT_MS }));
    const ended = { outcome: { kind: 'not-found' }, atMs: 5 } as const;
    expect(await store.commit(place, 'A', ended)).toBe('written');
    expect(await store.commit(place, 'A', ended)).toBe('written');
    expect(await redis.exists(place.entryKey)).toBe(0);
    const reply = await store.acquire(place, request('B', { waitingSinceMs: 0 }));
    expect(reply).toEqual({ kind: 'outcome', outcome: { kind: 'not-found' } });
  });

  test('lands once, though its first reply is lost', async () => {
    const server = await ownServer();
    const own = connect(server.url);
    const admin = connect(server.url);
    const ownStore = new EntryStore(own);
    await ownStore.acquire(place, request('A'));
    await admin.client('PAUSE', 1_300, 'ALL');

    const entry = { bytes: bytesOf('new'), lifeMs: LIFE_MS };
    expect(await ownStore.commit(place, 'A', entry)).toBe('written');

    expect(await own.getBuffer(place.entryKey)).toEqual(entry.bytes);
    // Acquired, sent, sent again.
    const { eval: sent = 0, evalsha = 0 } = await commandCalls(own);
    expect(sent + evalsha).toBe(3);
  });
});

describe.each([
  [
    'committing',
    async (bytes: Buffer) => {
      await store.acquire(place, request('A', { seenCreatedAtMs: CREATED_AT_MS }));
      return store.commit(place, 'A', { bytes, lifeMs: LIFE_MS });
    },
  ],
  ['setting', (bytes: Buffer) => store.put(place, bytes, LIFE_MS)],
])('%s', (_, write) => {
  test('never overwrites an entry of a newer format, and frees the lock', async () => {
    await plant(newer());
    expect(await write(bytesOf('ours'))).toBe('newer-format');
    expect(await redis.getBuffer(place.entryKey)).toEqual(newer());
    expect(await redis.exists(place.lockKey)).toBe(0);
  });

  test.each([
    ['foreign bytes', 'somebody else was here'],
    ['two bytes of an entry', 'EW'],
    ['a truncated header', bytesOf('cut').subarray(0, 20)],
    ['an entry of an older format', Buffer.from('EW\0 of old')],
  ])('overwrites %s', async (_what, bytes) => {
    await plant(bytes);
    expect(await write(bytesOf('ours'))).toBe('written');
    expect(await stored()).toBe('ours');
  });

  test('overwrites a key of another Redis type', async () => {
    await redis.zadd(place.entryKey, 1, 'member');
    expect(await write(bytesOf('ours'))).toBe('written');
    expect(await stored()).toBe('ours');
  });
});

test('setting frees the lock of any load', async () => {
  await store.acquire(place, request('A'));
  expect(await store.put(place, bytesOf('set'), LIFE_MS)).toBe('written');
  expect(await redis.exists(place.lockKey)).toBe(0);
  expect(await store.renew(place.lockKey, 'A', 5_000)).toBe(false);
});

test('invalidating removes entry and lock, and tells whether there was an entry', async () => {
  await plant(bytesOf('old'));
  await store.acquire(place, request('A', { seenCreatedAtMs: CREATED_AT_MS }));
  expect(await store.invalidate(place)).toBe(true);
  expect(await redis.exists(place.entryKey, place.lockKey)).toBe(0);
  expect(await store.invalidate(place)).toBe(false);
});

test('reads headers of many entries: null for what is missing, foreign or of another kind', async () => {
  const name = (at: number): string => `${place.entryKey}:${at}`;
  await redis.set(name(0), bytesOf('value'), 'PX', LIFE_MS);
  await redis.set(name(1), 'somebody else was here, and wrote a lot of text', 'PX', LIFE_MS);
  await redis.zadd(name(2), 1, 'member');
  await redis.set(name(3), newer(), 'PX', LIFE_MS);
  await redis.set(name(4), bytesOf('gone', { invalidated: true }), 'PX', LIFE_MS);

  const headers = await store.headers([0, 1, 2, 3, 4, 5].map(name));

  expect(headers).toMatchObject([
    { createdAtMs: CREATED_AT_MS },
    null,
    null,
    null,
    { invalidated: true },
    null,
  ]);
});
