import { expect, onTestFinished, test } from 'vitest';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { addReads } from '../../src/policy/heat.ts';
import { plan } from '../../src/policy/plan.ts';
import { PlannedRefreshes } from '../../src/policy/planned-refreshes.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { openCache, ownServer } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const KEYS = 400;
const TTL_MS = 60_000;
const SECOND_MS = 1_000;

test('a wiped cache heals without being read, hottest first, one load a key, and its next lives are no wave', async () => {
  const [cacheServer, queueServer] = await Promise.all([ownServer(), ownServer()]);
  const namespace = uniqueNamespace();
  const reloads: string[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: TTL_MS,
    load: async (id: string, { reason }) => {
      if (reason === 'refresh') reloads.push(id);
      return id;
    },
  });
  const redis = { cache: cacheServer.url, queue: queueServer.url };
  const options = { redis, namespace, loaders: [loader] };
  const ids = Array.from({ length: KEYS }, (_, n) => `key${n}`);
  const cache = await openCache({ ...options, recording: false });
  await cache.getMany(loader, ids);
  const keys = new Keys(namespace);
  const tracker = new Tracker(connect(queueServer.url), keys, loader);
  const nowMs = Date.now();
  // All hot, the first ones most; none is due for half a ttl.
  const expiresAtMs = nowMs + TTL_MS;
  const records = ids.map((key, at) => ({ key, reads: 20 + KEYS - at, expiresAtMs }));
  await tracker.record(records, { nowMs, lookAheadMs: TTL_MS / 2 });
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close()]);
  });
  await Promise.all([worker.ready(), scheduler.ready()]);
  const wiped = connect(cacheServer.url);
  await expect.poll(() => wiped.exists(keys.canary())).toBe(1);

  await wiped.flushall();

  const store = new EntryStore(wiped);
  const headers = () => store.headers(ids.map((key) => keys.entry(loader, key)));
  const there = async (): Promise<number> => (await headers()).filter(Boolean).length;
  await expect.poll(there, { timeout: 12_000, interval: 100 }).toBe(KEYS);
  expect(new Set(reloads).size).toBe(reloads.length);
  const rankSum = (from: number): number =>
    reloads.slice(from, from + KEYS / 2).reduce((sum, id) => sum + Number(id.slice(3)), 0);
  expect(rankSum(0)).toBeLessThan(rankSum(KEYS / 2));

  const { halfLifeMs } = tracker;
  const times = { ttlMs: TTL_MS, livesVary: false, halfLifeMs, tickMs: 250, keptExpiredMs: TTL_MS };
  const settings = { ...loader.refresh, ...times };
  const planned = new PlannedRefreshes(TTL_MS);
  const refreshAtMs = (await headers()).map((header, at) => {
    const nowMs = Date.now();
    const logHeat = addReads(null, 100, { atMs: nowMs, halfLifeMs });
    const key = ids[at] ?? '';
    const look = { header: header ?? null, logHeat, key, nowMs, trackerAgeMs: TTL_MS };
    const about = { loaderLoad: null, wait: null, mostLeadShare: 0.9, reloadedWithinTtl: true };
    const made = plan({ ...look, ...about, settings, threshold: 2, plannedAt: planned.at });
    if (made.kind !== 'wait') return 0;
    planned.add(made.untilMs);
    return made.untilMs;
  });
  const firstMs = Math.min(...refreshAtMs);
  const perSecond = new Map<number, number>();
  for (const atMs of refreshAtMs) {
    const second = Math.floor((atMs - firstMs) / SECOND_MS);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  expect(Math.max(...perSecond.values())).toBeLessThan(0.75 * KEYS);
}, 30_000);
