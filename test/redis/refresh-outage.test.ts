import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { openQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { gate, ownServer, recorded } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';

const NAMESPACE = 'outage';
const TTL_MS = 1_000;
const OUTAGE_MS = 10_000;

test('workers load nothing that cannot be stored while the cache server hangs, and fail no key for it', async () => {
  const [cacheServer, queueServer] = await Promise.all([ownServer(), ownServer()]);
  const startedAtMs: number[] = [];
  const stopped = gate();
  let stop: (() => void) | null = null;
  const item = defineLoader({
    name: 'item',
    ttl: TTL_MS,
    refresh: { minLead: TTL_MS / 2 },
    load: async (id: string, { reason }) => {
      if (reason === 'refresh') {
        startedAtMs.push(performance.now());
        stop?.();
      }
      return `${id}!`;
    },
  });
  const redis = { cache: cacheServer.url, queue: queueServer.url };
  const options = { redis, namespace: NAMESPACE, loaders: [item] };
  const { cache, worker } = await startRoles(options);
  const landed = recorded(worker, 'refresh:completed');
  const failed = recorded(worker, 'refresh:failed');
  const skipped = recorded(worker, 'refresh:skipped');
  const ids = Array.from({ length: 200 }, (_, at) => `id-${at}`);
  const landedKeys = (from: number): number =>
    new Set(landed.slice(from).map(({ key }) => key)).size;
  const errors: unknown[] = [];
  const reading = setInterval(() => {
    cache.getMany(item, ids).catch((error: unknown) => errors.push(error));
  }, 50);
  onTestFinished(() => clearInterval(reading));
  await expect.poll(() => landedKeys(0), { timeout: 20_000 }).toBe(ids.length);

  stop = () => {
    stop = null;
    process.kill(cacheServer.pid, 'SIGSTOP');
    stopped.open();
  };
  onTestFinished(() => void process.kill(cacheServer.pid, 'SIGCONT'));
  await stopped.opened; // in mid-load: that one cannot be stored
  const stoppedAtMs = performance.now();
  await delay(OUTAGE_MS); // the outage itself
  const before = landed.length;
  const loadedMeanwhile = startedAtMs.filter((atMs) => atMs > stoppedAtMs);
  process.kill(cacheServer.pid, 'SIGCONT');
  await expect.poll(() => landedKeys(before), { timeout: 5_000 }).toBe(ids.length);

  // Locks that were had before the server stopped are used: at most as many as can be under way.
  expect(loadedMeanwhile.filter((atMs) => atMs > stoppedAtMs + 1_000)).toEqual([]);
  expect(failed).toEqual([]);
  expect(skipped.some(({ why }) => why === 'redis-away')).toBe(true);
  expect(errors).toEqual([]);
  const queue = openQueue(connect(queueServer.url), new Keys(NAMESPACE), item);
  onTestFinished(() => queue.close());
  expect(await queue.getFailedCount()).toBe(0);
}, 60_000);
