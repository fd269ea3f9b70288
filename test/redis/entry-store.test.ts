import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, test } from 'vitest';
import { type EntryHeader, FORMAT_VERSION, HEADER_BYTES } from '../../src/redis/entry.ts';
import { type EntryPlace, EntryStore, type LockRequest } from '../../src/redis/entry-store.ts';
import { readStored } from '../../src/redis/stored-value.ts';
import { commandCalls, entryBytes, ownServer } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const LIFE_MS = 60_000;
const CREATED_AT_MS = 1_790_000_000_000;

let redis: Redis;
let store: EntryStore;
let place: EntryPlace;
beforeEach(() => {
  redis = connect();
  store = new EntryStore(redis);
  const entryKey = `${uniqueNamespace()}:{a}`;
  place = { entryKey, lockKey: `${entryKey}:lock` };
});

function request(token: string, more: Partial<LockRequest> = {}): LockRequest {
  return { token, lockTtlMs: 5_000, seenCreatedAtMs: 0, isWaiter: false, ...more };
}

function bytesOf(value: unknown, more: Partial<EntryHeader> = {}): Buffer {
  const times = { createdAtMs: CREATED_AT_MS, expiresAtMs: CREATED_AT_MS + LIFE_MS };
  return entryBytes(value, { ...times, ...more });
}

function plant(bytes: Buffer | string): Promise<unknown> {
  return redis.set(place.entryKey, bytes, 'PX', LIFE_MS);
}

async function stored(): Promise<unknown> {
  const bytes = await redis.getBuffer(place.entryKey);
  const found = bytes && readStored(bytes);
  return found?.isReadable ? found.value : undefined;
}

function newer(): Buffer {
  const bytes = bytesOf('newer');
  bytes[2] = FORMAT_VERSION + 1;
  return bytes;
}

describe('asking for a lock', () => {
  test('is granted it, for its ttl, where there is no entry', async () => {
    expect(await store.acquire(place, request('A'))).toEqual({ kind: 'acquired', previous: null });
    expect(await redis.get(place.lockKey)).toBe('A');
    const lifeMs = await redis.pttl(place.lockKey);
    expect(lifeMs).toBeGreaterThan(4_000);
    expect(lifeMs).toBeLessThanOrEqual(5_000);
  });

  test('is granted it again under the same token', async () => {
    await store.acquire(place, request('A'));
    expect(await store.acquire(place, request('A'))).toMatchObject({ kind: 'acquired' });
  });

  test('is told who holds it for how long, without changing it', async () => {
    await store.acquire(place, request('A'));

    const reply = await store.acquire(place, request('B', { isWaiter: true }));

    const remainingMs = reply.kind === 'held' ? reply.remainingMs : 0;
    expect(remainingMs).toBeGreaterThan(4_000);
    expect(remainingMs).toBeLessThanOrEqual(5_000);
    expect(await redis.get(place.lockKey)).toBe('A');
  });

  test('is answered with an entry it has not seen, though the lock is held', async () => {
    await store.acquire(place, request('A'));
    const bytes = bytesOf('there');
    await plant(bytes);

    expect(await store.acquire(place, request('B'))).toEqual({ kind: 'entry', bytes });
    const older = request('B', { seenCreatedAtMs: CREATED_AT_MS - 1 });
    expect(await store.acquire(place, older)).toEqual({ kind: 'entry', bytes });
  });

  test('is granted it over the entry it has seen, and learns that header', async () => {
    const expiresAtMs = CREATED_AT_MS + 1_000;
    await plant(bytesOf('seen', { expiresAtMs, load: { meanMs: 7, deviationMs: 2 } }));

    const seen = request('A', { seenCreatedAtMs: CREATED_AT_MS });
    expect(await store.acquire(place, seen)).toMatchObject({
      kind: 'acquired',
      previous: { createdAtMs: CREATED_AT_MS, expiresAtMs, load: { meanMs: 7, deviationMs: 2 } },
    });
  });

  test('is never answered with an invalidated entry', async () => {
    await plant(bytesOf('gone', { invalidated: true }));
    expect(await store.acquire(place, request('A'))).toMatchObject({
      kind: 'acquired',
      previous: { invalidated: true },
    });
  });

  test.each([
    ['foreign bytes', 'somebody else was here, and wrote a lot of text'],
    ['two bytes of an entry', 'EW'],
    ['a truncated header', bytesOf('cut').subarray(0, HEADER_BYTES - 1)],
    ['an entry of a newer format', newer()],
  ])('is granted it over %s', async (_, bytes) => {
    await plant(bytes);
    expect(await store.acquire(place, request('A'))).toEqual({ kind: 'acquired', previous: null });
  });

  test('gives a waiter the outcome that the holder left, for a second', async () => {
    const outcome = { kind: 'failed', message: 'the origin is down' } as const;
    await store.acquire(place, request('A'));
    await store.release(place, 'A', outcome);
    expect(await redis.pttl(place.lockKey)).toBeLessThanOrEqual(1_000);

    const waiter = request('B', { isWaiter: true });
    expect(await store.acquire(place, waiter)).toEqual({ kind: 'outcome', outcome });
    expect(await store.acquire(place, request('C'))).toMatchObject({ kind: 'acquired' });
    expect(await redis.get(place.lockKey)).toBe('C');
  });

  test('gives back a lock whose grant it never heard of', async () => {
    const server = await ownServer();
    const own = connect(server.url);
    const admin = connect(server.url);
    const ownStore = new EntryStore(own);
    await admin.client('PAUSE', 1_200, 'ALL');

    await expect(ownStore.acquire(place, request('A'))).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
    });

    await own.ping(); // Behind both on the same wire.
    expect(await own.exists(place.lockKey)).toBe(0);
    expect(await commandCalls(own)).toMatchObject({ touch: 1, del: 1 });
  });
});

describe('releasing a lock', () => {
  test.each([[null], [{ kind: 'not-found' } as const]])(
    'does nothing to the lock of another, whatever the outcome (%o)',
    async (outcome) => {
      await store.acquire(place, request('A'));
      await store.release(place, 'B', outcome);
      expect(await redis.get(place.lockKey)).toBe('A');
    },
  );

  test('frees it without an outcome', async () => {
    await store.acquire(place, request('A'));
    await store.release(place, 'A', null);
    expect(await redis.exists(place.lockKey)).toBe(0);
  });
});

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
    expect(await store.commit(place, 'A', null)).toBe('written');
    expect(await redis.exists(place.entryKey)).toBe(0);
    const reply = await store.acquire(place, request('B', { isWaiter: true }));
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
