import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createScheduler, defineLoader } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { LoaderStatsStore } from '../../src/redis/loader-stats.ts';
import { openDashboard } from '../helpers/dashboard.ts';
import { freePort } from '../helpers/port.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { scraped } from '../helpers/scraping.ts';

const item = defineLoader({ name: 'item', ttl: '1h', origin: {}, load: async (id: string) => id });
const plain = defineLoader({ name: 'plain', ttl: '1h', refresh: false, load: (id: string) => id });

/** A fleet in which so much has been counted. */
async function countedFleet(): Promise<string> {
  const namespace = uniqueNamespace();
  const stats = new LoaderStatsStore(connect(), new Keys(namespace), item);
  await stats.addEnqueued(12);
  await stats.addFinished(5);
  await stats.addJudged({ used: 70, wasted: 30 });
  return namespace;
}

test('a dashboard publishes the metrics of the fleet, without a scheduler', async () => {
  const registry = new Registry();
  const namespace = await countedFleet();
  await openDashboard({ namespace, loaders: [item, plain], metrics: { registry } });
  const value = async (name: string) => (await scraped(registry)).get(`everwarm_${name}`);

  await expect.poll(() => value('backlog{loader="item"}')).toBe(7);
  const series = await scraped(registry);
  for (const [name, expected] of Object.entries({
    tracked_keys: 0,
    threshold: 8,
    used_refreshes_total: 70,
    wasted_refreshes_total: 30,
    worker_alive: 0,
    origin_state: 0,
  })) {
    expect(series.get(`everwarm_${name}{loader="item"}`), name).toBe(expected);
  }
  expect(series.get('everwarm_queue_memory_used_ratio')).toBeGreaterThanOrEqual(0);
  // What is not refreshed has no such figures; what schedulers alone know is theirs.
  const names = [...series.keys()];
  expect(names.filter((name) => name.includes('plain') || name.includes('tick'))).toEqual([]);
});

test('a strict dashboard without Redis is refused, once, to who started it', async () => {
  const redis = `redis://127.0.0.1:${await freePort()}`;
  const options = { redis, strict: true, loaders: [item], metrics: { registry: new Registry() } };

  await expect(openDashboard(options)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
});

test('counts of the fleet are those of one role, not the sum of all in a process', async () => {
  const registry = new Registry();
  const namespace = await countedFleet();
  const options = { namespace, loaders: [item], metrics: { registry } };
  const scheduler = createScheduler({ ...options, redis: redisUrl() });
  onTestFinished(() => scheduler.close());
  await openDashboard(options);
  const used = async () =>
    (await scraped(registry)).get('everwarm_used_refreshes_total{loader="item"}');
  await expect.poll(used).toBe(70);
  await scheduler.close();
  await expect.poll(used).toBe(70); // The dashboard's own.
});
