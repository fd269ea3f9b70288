import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  commandCalls,
  entryBytes,
  entryKey,
  openCache,
  ownServer,
  recorded,
} from '../helpers/cache.ts';
import { limited } from '../helpers/limited-loader.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';

const MAX = 5;
const PER_MS = 500;
const TTL_MS = 1_000;
const RUN_MS = 6_000;
/** Permits are exact by the server's clock; their calls begin when a busy process gets to them. */
const LAG_MS = 200;

test('a fleet keeps to the limit of its loader, and nobody waits busily', async () => {
  const server = await ownServer();
  const redis = connect(server.url);
  const namespace = uniqueNamespace();
  // 30 keys would need 30 calls a second: there are 10.
  const keys = Array.from({ length: 30 }, (_, n) => `key${n}`);
  const { loader, calls } = limited({ max: MAX, perMs: PER_MS, ttlMs: TTL_MS, staleMs: 60_000 });
  const options = { redis: server.url, namespace, loaders: [loader] };
  for (const key of keys) {
    const expiresAtMs = Date.now() + TTL_MS;
    const bytes = entryBytes('planted', { createdAtMs: Date.now(), expiresAtMs });
    await redis.set(entryKey(namespace, loader, key), bytes);
  }
  const caches = [await openCache(options), await openCache(options)];
  const { worker } = await startRefreshers(options);
  const timesAtStart = (await commandCalls(redis)).time ?? 0;
  const skips = recorded(worker, 'refresh:skipped');
  const refreshed = recorded(worker, 'refresh:completed');
  const failures = recorded(worker, 'load:failed');
  const states = { fresh: 0, stale: 0, uncached: 0 };

  const endAtMs = performance.now() + RUN_MS;
  await Promise.all(
    caches.map(async (cache) => {
      while (performance.now() < endAtMs) {
        const metas = await Promise.all(keys.map((key) => cache.getWithMeta(loader, key)));
        for (const { state } of metas) states[state]++;
        await delay(20); // the pace of visitors, not a wait for anything
      }
    }),
  );

  const times = calls.map(({ atMs }) => atMs).sort((a, b) => a - b);
  const spans = times.slice(MAX).map((atMs, at) => atMs - (times[at] ?? 0));
  expect(Math.min(...spans)).toBeGreaterThanOrEqual(PER_MS - LAG_MS);
  // The limit is used, by readers and workers, and what it leaves over is answered with stale values.
  expect(calls.length).toBeGreaterThan((0.6 * MAX * RUN_MS) / PER_MS);
  expect(states.stale).toBeGreaterThan(0);
  expect(states.uncached).toBe(0);
  const postponed = new Set(skips.filter(({ why }) => why === 'limited').map(({ key }) => key));
  expect(postponed.size).toBeGreaterThan(0);
  expect(refreshed.some(({ key }) => postponed.has(key))).toBe(true);
  expect(failures).toEqual([]);
  // TIME is what each script asks once: as a call ends, and when each process learns who took its place;
  // besides, those of the tracker do, some 40 times a second.
  const taken = ((await commandCalls(redis)).time ?? 0) - timesAtStart;
  expect(taken).toBeLessThan(12 * calls.length + (60 * RUN_MS) / 1_000);
}, 30_000);
