import { describe, expect, test } from 'vitest';
import { HEADER_BYTES } from '../../src/redis/entry.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { commandCalls, ownServer } from '../helpers/cache.ts';
import {
  bytesOf,
  CREATED_AT_MS,
  DOWN,
  eachWithPlace,
  newer,
  place,
  plant,
  redis,
  request,
  store,
} from '../helpers/entry-place.ts';
import { connect } from '../helpers/redis.ts';

eachWithPlace();

describe('asking for a lock', () => {
  test('is granted it, for its ttl, where there is no entry', async () => {
    expect(await store.acquire(place, request('A'))).toEqual({
      kind: 'acquired',
      previous: null,
      etag: null,
    });
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

    const reply = await store.acquire(place, request('B', { waitingSinceMs: 0 }));

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
    expect(await store.acquire(place, request('A'))).toEqual({
      kind: 'acquired',
      previous: null,
      etag: null,
    });
  });

  test('gives who waited the outcome that the holder left, for a second', async () => {
    await store.acquire(place, request('A'));
    await store.release(place, 'A', DOWN);
    expect(await redis.pttl(place.lockKey)).toBeLessThanOrEqual(1_000);

    const { outcome, atMs } = DOWN;
    const waiter = request('B', { waitingSinceMs: atMs - 1 });
    expect(await store.acquire(place, waiter)).toEqual({ kind: 'outcome', outcome });
    const late = request('C', { waitingSinceMs: atMs + 0.001 });
    expect(await store.acquire(place, late)).toMatchObject({ kind: 'acquired' });
  });

  test('does not let a new holder hide that outcome from who waited', async () => {
    await store.acquire(place, request('A'));
    await store.release(place, 'A', DOWN);
    await store.acquire(place, request('C', { waitingSinceMs: DOWN.atMs + 1 }));

    const { outcome, atMs } = DOWN;
    const waiter = request('B', { waitingSinceMs: atMs - 1 });
    expect(await store.acquire(place, waiter)).toEqual({ kind: 'outcome', outcome });
    const newcomer = request('D', { waitingSinceMs: atMs + 1 });
    expect(await store.acquire(place, newcomer)).toMatchObject({ kind: 'held' });
    expect(await store.renew(place.lockKey, 'C', 5_000)).toBe(true);
    await store.release(place, 'C', null);
    expect(await redis.exists(place.lockKey)).toBe(0);
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
    expect(await commandCalls(own)).toMatchObject({ set: 1, del: 1 });
  });
});

describe('releasing a lock', () => {
  test.each([[null], [DOWN]])(
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
