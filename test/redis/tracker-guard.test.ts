import { expect, onTestFinished, test } from 'vitest';
import { processClock } from '../../src/core/clock.ts';
import { Events } from '../../src/core/events.ts';
import { createScheduler, defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { usedMemoryShare } from '../../src/redis/server-memory.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { TrackerGuard } from '../../src/schedule/tracker-guard.ts';
import { nextEvent, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const LOADER = { name: 'item', version: 1, ttlMs: 3_600_000 };

/** A tracker of 3,000 keys, the first the coldest, and its guard. */
async function setUp(maxTrackedBytes: number | null) {
  const redis = connect();
  const tracker = new Tracker(redis, new Keys(uniqueNamespace()), LOADER);
  const record = (key: string, reads = 2): Promise<number> =>
    tracker.record([{ key, reads, expiresAtMs: Date.now() + 60_000 }], {
      nowMs: Date.now(),
      lookAheadMs: 1_000,
    });
  const expiresAtMs = Date.now() + 60_000;
  const records = Array.from({ length: 3_000 }, (_, n) => ({
    key: `k${n}`,
    reads: 2 + n,
    expiresAtMs,
  }));
  await tracker.record(records, { nowMs: Date.now(), lookAheadMs: 1_000 });
  const events = new Events();
  const clock = processClock;
  const guard = new TrackerGuard({
    loader: LOADER,
    tracker,
    clock,
    events,
    maxTrackedBytes,
    everyMs: 5_000,
  });
  const limited = recorded({ on: events.on.bind(events) }, 'tracker:limited');
  const isTracked = async (key: string): Promise<boolean> =>
    (await tracker.lookAt(key)).logHeat !== null;
  return { tracker, guard, record, limited, isTracked };
}

test('a tracker on a server with memory to spare is left alone', async () => {
  const { tracker, guard, record, limited, isTracked } = await setUp(1e9);
  await guard.look(0.79);
  expect([await record('new'), await isTracked('new')]).toEqual([0, true]);
  expect(limited).toEqual([]);
  expect(await tracker.count()).toBe(3_001);
});

test('on a server over four fifths of its memory no new keys are tracked, and known ones still are', async () => {
  const { tracker, guard, record, limited, isTracked } = await setUp(null);
  await guard.look(0.85);
  expect([await record('new'), await isTracked('new')]).toEqual([1, false]);
  const before = (await tracker.lookAt('k7')).logHeat ?? 0;
  expect(await record('k7', 500)).toBe(0);
  expect((await tracker.lookAt('k7')).logHeat).toBeGreaterThan(before);
  expect(limited).toEqual([
    { loader: 'item', why: 'memory', keys: 3_000, trimmed: 0, bytes: null, usedShare: 0.85 },
  ]);
});

test('on a server that is almost full the coldest leave, down to a thousand keys', async () => {
  const { tracker, guard, limited, isTracked } = await setUp(null);
  await guard.look(0.95);
  const kept = await tracker.count();
  expect(kept).toBeLessThanOrEqual(2_700);
  expect([await isTracked('k0'), await isTracked('k2999')]).toEqual([false, true]);
  expect((await tracker.lookAt('k0')).due).toBeNull();
  expect(limited[0]).toMatchObject({ why: 'memory', trimmed: 3_000 - kept });
  for (let look = 0; look < 20; look++) await guard.look(0.95);
  expect(await tracker.count()).toBeGreaterThanOrEqual(900);
});

test('a tracker over its bytes loses its coldest until it is within them', async () => {
  const { tracker, guard, record, limited } = await setUp(200_000);
  expect(await tracker.bytes()).toBeGreaterThan(200_000);
  await guard.look(0);
  expect(limited[0]).toMatchObject({ why: 'bytes', keys: 3_000, usedShare: 0 });
  expect(await record('new')).toBe(1);
  // Tables shrink after their keys have left.
  for (let look = 0; look < 10 && (await tracker.bytes()) > 200_000; look++) await guard.look(0);
  expect(await tracker.bytes()).toBeLessThanOrEqual(200_000);
  expect(await tracker.count()).toBeGreaterThan(500);
  const looks = limited.length;
  await guard.look(0);
  expect(limited).toHaveLength(looks);
});

test('a scheduler keeps the keys that it does not know off a queue server that is running full', async () => {
  const server = await ownServer('--maxmemory', '4mb', '--maxmemory-policy', 'noeviction');
  const redis = connect(server.url);
  const loader = defineLoader({ name: 'item', ttl: '1h', load: async (id: string) => id });
  const options = { redis: server.url, namespace: 'bounded', loaders: [loader] };
  const cache = await openCache(options);
  expect(await usedMemoryShare(redis)).toBeLessThan(0.8);
  for (let n = 0; (await usedMemoryShare(redis)) < 0.82; n++) {
    await redis.set(`filler:${n}`, Buffer.alloc(50_000));
  }
  const scheduler = createScheduler(options);
  onTestFinished(() => scheduler.close());

  expect(await nextEvent(scheduler, 'tracker:limited')).toMatchObject({ why: 'memory' });
  const dropped = nextEvent(cache, 'reads:dropped');
  await cache.get(loader, 'new');
  expect((await cache.explain(loader, 'new')).verdict).toBe('untracked');
  expect(await dropped).toEqual({ loader: 'item', keys: 1, error: null });
});
