import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, test } from 'vitest';
import { processClock } from '../../src/core/clock.ts';
import { EverwarmError } from '../../src/core/errors.ts';
import { Events } from '../../src/core/events.ts';
import { EntryTags } from '../../src/load/entry-tags.ts';
import { FencedLoad } from '../../src/load/fenced-load.ts';
import { LockKeeper } from '../../src/load/lock-keeper.ts';
import type { LoadRef } from '../../src/load/locked-ref.ts';
import { type AnyLoader, defineLoader } from '../../src/loaders/define-loader.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import type { EntryPlace } from '../../src/redis/fence.ts';
import { Keys } from '../../src/redis/keys.ts';
import { TagIndex } from '../../src/redis/tag-index.ts';
import { nextEvent, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const LOCK_TTL_MS = 300;
const POLL = { interval: 10, timeout: 5_000 };

let redis: Redis;
let store: EntryStore;
let keeper: LockKeeper;
let namespace: string;
beforeEach(() => {
  redis = connect();
  store = new EntryStore(redis);
  keeper = new LockKeeper(store, LOCK_TTL_MS);
  namespace = uniqueNamespace();
});

function placeOf(key: string): EntryPlace {
  const entryKey = `${namespace}:{${key}}`;
  return { entryKey, lockKey: `${entryKey}:lock` };
}

async function lock(key: string, token = 'A', from: EntryStore = store): Promise<string> {
  const place = placeOf(key);
  const request = { token, lockTtlMs: LOCK_TTL_MS, seenCreatedAtMs: 0, waitingSinceMs: Date.now() };
  expect((await from.acquire(place, request)).kind).toBe('acquired');
  return place.lockKey;
}

/** Resolves once a key that was set with that life has run out on the server. */
async function serverHasSpent(ms: number): Promise<void> {
  const witness = `${namespace}:witness`;
  await redis.set(witness, '1', 'PX', ms);
  await expect.poll(() => redis.exists(witness), POLL).toBe(0);
}

function aborted({ signal }: { readonly signal: AbortSignal }): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

describe('a held lock', () => {
  test('lives beyond its ttl while it is held, and runs out once it is dropped', async () => {
    const lockKey = await lock('a');
    const lost: string[] = [];
    const hold = keeper.hold({ token: 'A', lockKeys: [lockKey], onLost: (key) => lost.push(key) });

    await serverHasSpent(3 * LOCK_TTL_MS);
    expect(await redis.get(lockKey)).toBe('A');

    hold.drop();
    await expect.poll(() => redis.exists(lockKey), POLL).toBe(0);
    expect(lost).toEqual([]);
    expect(hold.cancellation.signal.aborted).toBe(false);
  });

  test.each([
    ['was taken away', null],
    ['went to somebody else', 'B'],
  ])('aborts its load when it %s', async (_, holder) => {
    const lockKey = await lock('a');
    const lost: string[] = [];
    const hold = keeper.hold({ token: 'A', lockKeys: [lockKey], onLost: (key) => lost.push(key) });
    const reason = aborted(hold.cancellation);

    if (holder === null) await redis.del(lockKey);
    else await redis.set(lockKey, holder, 'PX', 60_000);

    expect(await reason).toMatchObject({ code: 'LOAD_ABORTED' });
    expect(lost).toEqual([lockKey]);
    expect(await redis.get(lockKey)).toBe(holder);
    hold.drop();
  });

  test('of a batch aborts the batch only when none is left', async () => {
    const lockKeys = [await lock('a'), await lock('b')];
    const [first = '', second = ''] = lockKeys;
    const lost: string[] = [];
    const hold = keeper.hold({ token: 'A', lockKeys, onLost: (key) => lost.push(key) });

    await redis.del(first);
    await expect.poll(() => lost, POLL).toEqual([first]);
    expect(hold.cancellation.signal.aborted).toBe(false);
    await serverHasSpent(2 * LOCK_TTL_MS);
    expect(await redis.get(second)).toBe('A');

    const reason = aborted(hold.cancellation);
    await redis.del(second);
    await reason;
    expect(lost).toEqual([first, second]);
    hold.drop();
  });

  test('is lost by its deadline, before its renewals time out, when Redis stops answering', async () => {
    const server = await ownServer();
    const ownStore = new EntryStore(connect(server.url));
    const lockKey = await lock('a', 'A', ownStore);
    const ends: string[] = [];
    process.kill(server.pid, 'SIGSTOP');
    const hold = new LockKeeper(ownStore, LOCK_TTL_MS).hold({
      token: 'A',
      lockKeys: [lockKey],
      onLost: () => ends.push('lost'),
    });
    const renewed = ownStore
      .renew(lockKey, 'A', LOCK_TTL_MS)
      .catch(() => ends.push('a renewal timed out'));

    expect(await aborted(hold.cancellation)).toMatchObject({ code: 'LOAD_ABORTED' });
    await renewed;
    expect(ends).toEqual(['lost', 'a renewal timed out']);
    hold.drop();
    process.kill(server.pid, 'SIGCONT');
  });
});

describe('aborting all', () => {
  test('aborts every load under way and to come, and leaves their locks to be released', async () => {
    const reason = new EverwarmError('CLOSED', 'the worker closes');
    const lockKeys = [await lock('a'), await lock('b')];
    const lost: string[] = [];
    const onLost = (key: string): unknown => lost.push(key);
    const holds = lockKeys.map((lockKey) =>
      keeper.hold({ token: 'A', lockKeys: [lockKey], onLost }),
    );

    keeper.abortAll(reason);
    holds.push(keeper.hold({ token: 'A', lockKeys, onLost }));

    expect(holds.map(({ cancellation }) => cancellation.signal.reason)).toEqual([
      reason,
      reason,
      reason,
    ]);
    expect(lost).toEqual([]);
    expect(await redis.mget(...lockKeys)).toEqual(['A', 'A']);
    for (const hold of holds) hold.drop();
  });
});

describe('a fenced load', () => {
  const call = { reason: 'miss', attempt: 1 } as const;

  function fencedLoad(on: EntryStore, lockTtlMs: number): { fenced: FencedLoad; events: Events } {
    const events = new Events();
    const index = new TagIndex(redis, new Keys(uniqueNamespace()), processClock);
    const tags = new EntryTags(index, processClock);
    const parts = { store: on, clock: processClock, events, tags, lockTtlMs };
    return { fenced: new FencedLoad(parts), events };
  }

  function refOf(loader: AnyLoader): LoadRef {
    return { loader, key: 'a', ...placeOf('a') };
  }

  async function run(fenced: FencedLoad, ref: LoadRef): ReturnType<FencedLoad['run']> {
    const token = fenced.newToken();
    await fenced.acquire(ref, { token, seenCreatedAtMs: 0, waitingSinceMs: Date.now() });
    const locked = { ref, token, previous: null, etag: null, logHeat: Number.NaN, unreadLives: 0 };
    return fenced.run([locked], call);
  }

  test('is aborted, reported and not stored when its lock is taken away', async () => {
    const { fenced, events } = fencedLoad(store, LOCK_TTL_MS);
    const loader = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (key: string, { signal }) => {
        await redis.del(placeOf(key).lockKey);
        await aborted({ signal });
        return 'too late';
      },
    });
    const lost = nextEvent(events, 'lock:lost');

    const [result] = await run(fenced, refOf(loader));

    expect(await lost).toEqual({ loader: 'item', key: 'a' });
    expect(result).toMatchObject({ kind: 'failed', error: { code: 'LOAD_ABORTED' } });
    expect(await redis.exists(...Object.values(placeOf('a')))).toBe(0);
  });

  test('does not report its lock as lost when renewals fall due during a slow commit', async () => {
    const server = await ownServer();
    const admin = connect(server.url);
    const lockTtlMs = 3 * LOCK_TTL_MS;
    const { fenced, events } = fencedLoad(new EntryStore(connect(server.url)), lockTtlMs);
    const loader = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async () => {
        await admin.client('PAUSE', lockTtlMs / 2, 'ALL'); // A renewal falls due after a third.
        return 'value';
      },
    });
    const lost = recorded(events, 'lock:lost');

    const [result] = await run(fenced, refOf(loader));

    expect(result).toMatchObject({ kind: 'loaded', stored: { createdAtMs: expect.any(Number) } });
    expect(lost).toEqual([]);
  });
});
