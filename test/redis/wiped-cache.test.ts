import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { openCache, ownServer, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const KEYS = Number(process.env.WIPED_KEYS ?? 1_000);
const TTL_MS = 20_000;

test('a wiped cache heals within seconds, without being read, and its next lives are no wave', async () => {
  const [cacheServer, queueServer] = await Promise.all([ownServer(), ownServer()]);
  const namespace = uniqueNamespace();
  const calls: number[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: TTL_MS,
    load: async (id: string) => {
      calls.push(performance.now());
      await delay(20);
      return id;
    },
  });
  const redis = { cache: cacheServer.url, queue: queueServer.url };
  const options = { redis, namespace, loaders: [loader] };
  const cache = await openCache(options);
  const worker = createWorker(options);
  const scheduler = createScheduler(options);
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close()]);
  });
  await Promise.all([worker.ready(), scheduler.ready()]);
  const ids = Array.from({ length: KEYS }, (_, n) => `key${n}`);
  const tracker = new Tracker(connect(queueServer.url), new Keys(namespace), loader);
  const nowMs = Date.now();
  // Hot: read twenty times each, just now.
  const records = ids.map((key) => ({ key, reads: 20, expiresAtMs: nowMs + TTL_MS }));
  await tracker.record(records, { nowMs, lookAheadMs: TTL_MS / 2 });
  for (let at = 0; at < KEYS; at += 100) {
    await Promise.all(ids.slice(at, at + 100).map((id) => cache.get(loader, id)));
  }
  const refreshed = recorded(worker, 'refresh:completed');
  const t0 = performance.now();
  scheduler.on('tick:completed', (e) =>
    console.error(Math.round(performance.now() - t0), JSON.stringify(e)),
  );
  await connect(cacheServer.url).flushall();
  const wipedAtMs = performance.now();
  const marks: string[] = [];
  let missing = KEYS;
  for (const second of [1, 2, 3]) {
    const waits: number[] = [];
    while (performance.now() - wipedAtMs < second * 1_000) {
      const id = ids[Math.floor(Math.random() * KEYS)] ?? '';
      const { source } = await cache.getWithMeta(loader, id);
      waits.push(source === 'loader' ? 1 : 0);
      if (process.env.WIPED_FAST === undefined) await delay(1);
    }
    const share = waits.reduce((a, b) => a + b, 0) / waits.length;
    missing = KEYS - (await connect(cacheServer.url).keys(`${namespace}:{item@*}`)).length;
    marks.push(
      `second ${second}: ${(100 * share).toFixed(1)} % of ${waits.length} reads wait, ${missing} missing`,
    );
  }
  console.error(marks.join('\n'), refreshed.length);
}, 60_000);
