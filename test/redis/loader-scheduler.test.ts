import { expect, onTestFinished, test } from 'vitest';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { Events } from '../../src/core/events.ts';
import { defineLoader } from '../../src/index.ts';
import { halfLifeMs } from '../../src/policy/heat.ts';
import type { RefreshJobData } from '../../src/queue/refresh-job.ts';
import { openQueue, RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { LoaderStatsStore } from '../../src/redis/loader-stats.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { LoaderScheduler } from '../../src/schedule/loader-scheduler.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 3_600_000;
const NOW_MS = 1_790_000_000_000;
const item = defineLoader({ name: 'item', ttl: TTL_MS, load: async (id: string) => id });

/** A scheduler whose ticks and clock are the test's. */
function setUp() {
  const redis = connect();
  const keys = new Keys(uniqueNamespace());
  const clock = { nowMs: NOW_MS, now: (): number => clock.nowMs };
  const tracker = new Tracker(redis, keys, { ...item, mostSkewMs: 1e15 });
  const queue = new RefreshQueue(redis, keys, item);
  const jobs = openQueue(connect(), keys, item);
  onTestFinished(async () => {
    await queue.close();
    await jobs.close();
  });
  const scheduler = new LoaderScheduler({
    loader: item,
    keys,
    tracker,
    store: new EntryStore(redis),
    stats: new LoaderStatsStore(redis, keys, item),
    queue,
    clock,
    events: new Events(),
    tickMs: 250,
    claimTtlMs: 2_000,
    maxTrackedKeys: 1_000_000,
    mode: 'active',
    originState: async () => null,
  });
  /** Keys with so many reads each, whose entries are missing, all due at once. */
  const track = async (reads: Readonly<Record<string, number>>): Promise<void> => {
    const records = Object.entries(reads).map(([key, n]) => ({
      key,
      reads: n,
      expiresAtMs: clock.nowMs,
    }));
    await tracker.record(records, { nowMs: clock.nowMs, lookAheadMs: TTL_MS });
  };
  const enqueued = async (): Promise<string[]> => {
    const found = await jobs.getJobs(['waiting', 'prioritized']);
    return found.flatMap(({ data }) => (data as RefreshJobData).keys);
  };
  const names = keys.tracker(item, halfLifeMs(TTL_MS));
  return { redis, scheduler, clock, tracker, names, track, enqueued };
}

test('with more to do than there is room for, the keys go first that most reads would wait for', async () => {
  const { scheduler, track, enqueued, redis, names } = setUp();
  const room = 2 * DEFAULTS.concurrency;
  const keys = Array.from(
    { length: 3 * room },
    (_, n) => [`k${n}`, 10 + ((n * 37) % 300)] as const,
  );
  await track(Object.fromEntries(keys));

  await scheduler.tick();

  const byReads = [...keys].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  expect((await enqueued()).sort()).toEqual(byReads.slice(0, room).sort());
  // The others stay due.
  expect(await redis.zcount(names.due, '-inf', NOW_MS)).toBe(2 * room);
});

test('a key that nobody reads any more leaves heat, due and what is known of its failures', async () => {
  const { scheduler, clock, tracker, names, track, redis } = setUp();
  await track({ idle: 2 });
  await tracker.rearm([
    {
      key: 'idle',
      dueAtMs: NOW_MS + 1,
      failure: { attempts: 1, error: 'down', retryAtMs: NOW_MS },
    },
  ]);
  await scheduler.tick();
  expect(await redis.zscore(names.heat, 'idle')).not.toBeNull();

  clock.nowMs += 10 * halfLifeMs(TTL_MS);
  await scheduler.tick();

  expect(await redis.exists(names.heat, names.due, names.failing)).toBe(0);
});
