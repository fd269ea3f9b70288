import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Events } from '../../src/core/events.ts';
import { type AnyLoader, defineLoader } from '../../src/loaders/define-loader.ts';
import { addReads } from '../../src/policy/heat.ts';
import { RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { LoaderStatsStore } from '../../src/redis/loader-stats.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { LoaderScheduler } from '../../src/schedule/loader-scheduler.ts';
import { Outlook } from '../../src/schedule/outlook.ts';
import { entryBytes, entryKey } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const TTL_MS = 60_000;
const TICK_MS = 250;
const NOW_MS = 1_790_000_000_000;
const item = defineLoader({ name: 'item', ttl: TTL_MS, load: () => 1 });

/** A loader's schedulers in one namespace, at a time of the test's own. */
class Fleet {
  readonly namespace = uniqueNamespace();
  readonly redis: Redis = connect();
  readonly loader: AnyLoader;
  readonly stats: LoaderStatsStore;
  readonly tracker: Tracker;
  nowMs = NOW_MS;

  constructor(loader: AnyLoader = item) {
    this.loader = loader;
    this.stats = new LoaderStatsStore(this.redis, new Keys(this.namespace), loader);
    this.tracker = new Tracker(this.redis, new Keys(this.namespace), {
      ...loader,
      mostSkewMs: 1e15,
    });
  }

  #parts() {
    const keys = new Keys(this.namespace);
    const redis = connect();
    const queue = new RefreshQueue(redis, keys, this.loader);
    onTestFinished(() => queue.close());
    const stats = new LoaderStatsStore(redis, keys, this.loader);
    const clock = { now: () => this.nowMs };
    const times = { clock, tickMs: TICK_MS, claimTtlMs: 2_000 };
    return { loader: this.loader, keys, stats, originState: async () => null, queue, ...times };
  }

  outlook(): Outlook {
    return new Outlook(this.#parts());
  }

  scheduler(): LoaderScheduler {
    const tracker = this.tracker;
    const store = new EntryStore(this.redis);
    const events = new Events();
    const parts = { tracker, store, events, maxTrackedKeys: 1_000, mode: 'active' } as const;
    return new LoaderScheduler({ ...this.#parts(), ...parts });
  }

  /** A key that was refreshed with so many recent reads, and expires in so long. */
  async refreshed(key: string, reads: number, leftMs: number): Promise<void> {
    const expiresAtMs = this.nowMs + leftMs;
    const { halfLifeMs } = this.tracker;
    await this.read(key, reads, expiresAtMs);
    const logHeat = addReads(null, reads, { atMs: this.nowMs, halfLifeMs });
    const header = { createdAtMs: expiresAtMs - TTL_MS - 10, expiresAtMs, logHeat };
    await this.redis.set(entryKey(this.namespace, this.loader, key), entryBytes(1, header));
  }

  async read(key: string, reads: number, expiresAtMs: number): Promise<void> {
    const at = { nowMs: this.nowMs, lookAheadMs: TTL_MS / 2 };
    await this.tracker.record([{ key, reads, expiresAtMs }], at);
  }

  async due(key: string): Promise<number | null> {
    const { due } = new Keys(this.namespace).tracker(this.loader, this.tracker.halfLifeMs);
    const score = await this.redis.zscore(due, key);
    return score === null ? null : Number(score);
  }
}

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});

describe('the threshold of several schedulers', () => {
  test('is moved by one of them, and is the same for all', async () => {
    const outlooks = [fleet.outlook(), fleet.outlook(), fleet.outlook()];
    await fleet.stats.addJudged({ used: 50, wasted: 150 });
    await Promise.all(outlooks.map((outlook) => outlook.update()));

    expect((await fleet.stats.read()).waste).toMatchObject({
      threshold: expect.closeTo(8.8, 9),
      counted: { used: 50, wasted: 150 },
    });
    await Promise.all(outlooks.map((outlook) => outlook.update()));
    for (const { threshold } of outlooks) expect(threshold).toBeCloseTo(8.8, 9);
  });

  test('is moved once a second at most', async () => {
    const outlook = fleet.outlook();
    const thresholds: number[] = [];
    for (const ms of [0, 999, 1_000]) {
      fleet.nowMs = NOW_MS + ms;
      await fleet.stats.addJudged({ used: 0, wasted: 200 });
      await outlook.update();
      thresholds.push(outlook.threshold);
    }
    expect(thresholds).toEqual([8.8, 8.8, 9.68].map((theta) => expect.closeTo(theta, 9)));
  });

  test('is not moved on lives that another scheduler has moved it on', async () => {
    await fleet.stats.addJudged({ used: 0, wasted: 200 });
    const { waste } = await fleet.stats.read();
    const lives = { used: 0, wasted: 200 };
    const next = { threshold: 8.8, recent: lives, counted: lives };
    expect(await fleet.stats.moveThreshold(waste, next, NOW_MS)).toBe(true);
    expect(await fleet.stats.moveThreshold(waste, next, NOW_MS + 5_000)).toBe(false);
  });

  test('stays where the loader has one of its own', async () => {
    const loader = defineLoader({
      name: 'item',
      ttl: TTL_MS,
      load: () => 1,
      refresh: { threshold: 5 },
    });
    const fixed = new Fleet(loader);
    await fixed.stats.addJudged({ used: 0, wasted: 1_000 });
    const outlook = fixed.outlook();
    await outlook.update();
    expect(outlook.threshold).toBe(5);
    expect((await fixed.stats.read()).waste).toBeNull();
  });

  test('decides which keys are refreshed', async () => {
    const lives = { used: 0, wasted: 200 };
    await fleet.stats.moveThreshold(null, { threshold: 40, recent: lives, counted: lives }, NOW_MS);
    const scheduler = fleet.scheduler();
    await fleet.refreshed('lukewarm', 30, 500);
    await fleet.refreshed('hot', 50, 500);
    // A tracker that has counted for long: as old as its heats can say.
    const { born } = new Keys(fleet.namespace).tracker(item, fleet.tracker.halfLifeMs);
    await fleet.redis.set(born, NOW_MS - 100 * TTL_MS);
    await scheduler.tick();
    expect((await fleet.stats.read()).enqueuedKeys).toBe(1);
  });
});

describe('a refreshed key that turned cold', () => {
  test.each([
    ['wasted if nobody read it', 0, { used: 0, wasted: 1 }],
    ['used if somebody did', 1, { used: 1, wasted: 0 }],
  ])('is looked at once more when its life is over: %s', async (_, reads, judged) => {
    const scheduler = fleet.scheduler();
    await fleet.refreshed('cold', 1.6, 500);
    const { born } = new Keys(fleet.namespace).tracker(item, fleet.tracker.halfLifeMs);
    await fleet.redis.set(born, NOW_MS - 100 * TTL_MS);
    await scheduler.tick();
    expect(await fleet.due('cold')).toBe(NOW_MS + 500 + TICK_MS);

    fleet.nowMs += 100;
    if (reads > 0) await fleet.read('cold', reads, NOW_MS + 500);
    await scheduler.tick();
    expect(await fleet.due('cold')).toBe(NOW_MS + 500 + TICK_MS);
    expect((await fleet.stats.read()).judged).toEqual({ used: 0, wasted: 0 });

    fleet.nowMs = NOW_MS + 500 + TICK_MS;
    await scheduler.tick();
    expect(await fleet.due('cold')).toBeNull();
    expect(await fleet.stats.read()).toMatchObject({ judged, enqueuedKeys: 0 });
  });
});

describe('a life that a refresh ends', () => {
  test('is judged when that is enqueued, and not again when its job is lost', async () => {
    const scheduler = fleet.scheduler();
    await fleet.refreshed('hot', 50, 500);
    await scheduler.tick();
    const once = { judged: { used: 0, wasted: 1 }, enqueuedKeys: 1 };
    expect(await fleet.stats.read()).toMatchObject(once);

    fleet.nowMs += 10_000; // its claim has run out
    await scheduler.tick();
    expect(await fleet.stats.read()).toMatchObject({ ...once, enqueuedKeys: 2 });
  });
});
