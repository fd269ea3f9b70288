import { describe, expect, onTestFinished, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { entryKey, type Gate, gate, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { type Pair, startPair } from '../helpers/failover.ts';
import { startFleet } from '../helpers/fleet.ts';
import { connect } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

// Redis answers a write before its replica has it. Here the replica has stopped to hear, and takes over.

const NAMESPACE = 'ns';

/** Two processes of one loader, whose n-th load answers `value n` once its gate is open. */
interface Readers {
  readonly item: Loader<string, string>;
  readonly older: Cache;
  readonly younger: Cache;
  readonly gates: readonly Gate[];
  loads(): number;
}

async function openReaders(pair: Pair): Promise<Readers> {
  const gates = Array.from({ length: 3 }, gate);
  let loads = 0;
  const item = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (_id: string) => {
      const n = loads++;
      await gates[n]?.opened;
      return `value ${n}`;
    },
  });
  const open = (): Promise<Cache> =>
    // The lock is not renewed within the test: a holder learns of its loss when it commits.
    openCache({ redis: pair.url, namespace: NAMESPACE, loaders: [item], lockTtl: '1m' });
  return { item, older: await open(), younger: await open(), gates, loads: () => loads };
}

/** Resolves when these processes are connected to the new master. */
async function areBack({ older, younger, item }: Readers): Promise<void> {
  for (const cache of [older, younger]) {
    const set = (): Promise<string> => cache.set(item, 'other', 'set').then(() => 'set', String);
    await expect.poll(set, { interval: 20 }).toBe('set');
  }
}

describe('a lock that was lost with its master', () => {
  /** The older process loads under a lock that the new master does not know, the younger under its own. */
  async function bothLoading(): Promise<
    Readers & { readonly pair: Pair; readonly answers: readonly [Promise<string>, Promise<string>] }
  > {
    const pair = await startPair();
    const readers = await openReaders(pair);
    const { item, older, younger, loads } = readers;
    await pair.lag();
    const first = older.get(item, 'a');
    await expect.poll(loads, { interval: 5 }).toBe(1);
    await pair.failOver();
    await areBack(readers);
    const second = younger.get(item, 'a');
    await expect.poll(loads, { interval: 5 }).toBe(2);
    return { ...readers, pair, answers: [first, second] };
  }

  test('is held anew; what its older holder commits after the newer one is refused', async () => {
    const { item, older, younger, gates, answers, loads } = await bothLoading();
    gates[1]?.open();
    expect(await answers[1]).toBe('value 1');

    const committed = nextEvent(older, 'load:completed');
    gates[0]?.open();
    expect(await committed).toMatchObject({ stored: false });

    expect(await answers[0]).toBe('value 1');
    for (const cache of [younger, older]) expect(await cache.get(item, 'a')).toBe('value 1');
    expect(loads()).toBe(2);
  });

  test('is held anew; what its older holder commits before the newer one is refused', async () => {
    const { item, older, gates, answers, loads, pair } = await bothLoading();
    const committed = nextEvent(older, 'load:completed');
    gates[0]?.open();
    expect(await committed).toMatchObject({ stored: false });
    expect(await connect(pair.url).exists(entryKey(NAMESPACE, item, 'a'))).toBe(0);

    gates[1]?.open();
    expect(await Promise.all(answers)).toEqual(['value 1', 'value 1']);
    expect((await older.getWithMeta(item, 'a')).source).toBe('redis');
    expect(loads()).toBe(2);
  });
});

describe('an invalidation that was lost with its master', () => {
  test('is repeated by its process on the new one', async () => {
    const pair = await startPair();
    const readers = await openReaders(pair);
    const { item, older, younger } = readers;
    await older.set(item, 'a', 'old');
    await pair.lag();
    expect(await younger.invalidate(item, 'a')).toBe(true);
    const redis = connect(pair.url);
    redis.on('error', () => undefined);
    expect(await redis.exists(entryKey(NAMESPACE, item, 'a'))).toBe(0);
    expect(await connect(pair.replicaUrl).exists(entryKey(NAMESPACE, item, 'a'))).toBe(1);

    await pair.failOver();
    await areBack(readers);
    await expect.poll(() => redis.exists(entryKey(NAMESPACE, item, 'a')), { interval: 20 }).toBe(0);
    readers.gates[0]?.open();
    expect(await older.get(item, 'a')).toBe('value 0');
  });

  test('takes the lock that came back with the old state: what it held off is not stored', async () => {
    const pair = await startPair();
    const readers = await openReaders(pair);
    const { item, older, younger, gates, loads } = readers;
    const first = older.get(item, 'a');
    await expect.poll(loads, { interval: 5 }).toBe(1);
    await pair.lag();
    await younger.invalidate(item, 'a');
    const replica = connect(pair.replicaUrl);
    const lockKey = `${entryKey(NAMESPACE, item, 'a')}:lock`;
    expect(await replica.exists(lockKey)).toBe(1);

    await pair.failOver();
    await areBack(readers);
    await expect.poll(() => replica.exists(lockKey), { interval: 20 }).toBe(0);
    const committed = nextEvent(older, 'load:completed');
    gates[0]?.open();
    expect(await committed).toMatchObject({ stored: false });
    gates[1]?.open();
    expect(await first).toBe('value 1');
    expect(await younger.get(item, 'a')).toBe('value 1');
  });
});

describe('claims and jobs that were lost with their master', () => {
  const LOADER = { name: 'item', ttl: 2_000, refresh: { minLead: '1s' } } as const;

  test('are made again: all keys are refreshed within seconds', { timeout: 40_000 }, async () => {
    const pair = await startPair();
    const values = new Map(Array.from({ length: 20 }, (_, at) => [`id-${at}`, `id-${at}!`]));
    const item = defineLoader({ ...LOADER, load: async (id: string) => `${id}!` });
    const options = { redis: pair.url, namespace: NAMESPACE, grace: 500 };
    const fleet = await startFleet(options, item, values);
    await pair.lag();
    await fleet.refreshed();
    await pair.failOver();

    await fleet.refreshed();
    expect((await fleet.stop()).errors).toEqual([]);
  });

  test('leave the key to the next look, when its claim has run out', async () => {
    const pair = await startPair();
    const item = defineLoader({ ...LOADER, load: async (id: string) => `${id}!` });
    const keys = new Keys(NAMESPACE);
    const redis = connect(pair.url);
    redis.on('error', () => undefined);
    const tracker = new Tracker(redis, keys, item);
    const nowMs = Date.now();
    const record = { key: 'a', reads: 50, expiresAtMs: nowMs };
    await tracker.record([record], { nowMs, lookAheadMs: 0 });
    const claimTtlMs = 1_000;
    expect((await tracker.claim({ nowMs, claimTtlMs, limit: 10 })).keys).toMatchObject([
      { key: 'a' },
    ]);
    // The replica knows of the claim, and not of the job.
    await pair.lag();
    const queue = new RefreshQueue(redis, keys, item);
    onTestFinished(() => queue.close());
    const refresh = { key: 'a', expiresAtMs: 0, seenCreatedAtMs: 0, logHeat: 1, unreadLives: 0 };
    const deadlineAtMs = nowMs + claimTtlMs;
    await queue.enqueue([{ ...refresh, isAlone: false }], { nowMs, deadlineAtMs });
    expect(await queue.isEmpty()).toBe(false);
    await pair.failOver();
    await expect.poll(() => queue.isEmpty().catch(() => null), { interval: 20 }).toBe(true);

    const roles = { redis: pair.url, namespace: NAMESPACE, loaders: [item] };
    const { worker } = await startRefreshers(roles);
    const landed = recorded(worker, 'refresh:completed');
    await expect.poll(() => landed).toMatchObject([{ key: 'a' }]);
  });
});
