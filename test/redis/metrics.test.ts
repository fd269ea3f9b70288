import { Counter, Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createCache, createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { halfLifeMs } from '../../src/policy/heat.ts';
import { Keys } from '../../src/redis/keys.ts';
import { nextEvent, openCache, ownServer } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers, startRoles } from '../helpers/roles.ts';
import { scraped } from '../helpers/scraping.ts';

function itemLoader(more: object = {}) {
  return defineLoader({
    name: 'item',
    ttl: '10m',
    load: async (id: string) => {
      if (id.startsWith('bad')) throw new Error('no');
      return id.startsWith('none') ? undefined : id;
    },
    ...more,
  });
}

test('counts each read once, by what answered it', async () => {
  const registry = new Registry();
  const loader = itemLoader({ memory: { maxEntries: 100 } });
  const plain = itemLoader({ name: 'plain' });
  const cache = await openCache({ loaders: [loader, plain], metrics: { registry } });

  await cache.get(loader, 'a'); // loader
  await cache.get(loader, 'a'); // memory
  await cache.getMany(loader, ['a', 'b', 'c']); // memory, loader, loader
  await cache.get(plain, 'a'); // loader
  await cache.getWithMeta(plain, 'a'); // redis
  await cache.getMany(plain, ['a', 'none']); // redis, uncached
  await expect(cache.get(plain, 'bad')).rejects.toThrow();
  await expect(cache.getMany(plain, ['a', 'bad 2'])).rejects.toThrow(); // redis, failed

  const series = await scraped(registry);
  const reads = (name: string) =>
    Object.fromEntries(
      ['memory', 'redis', 'stale', 'loader', 'uncached', 'failed'].map((result) => [
        result,
        series.get(`everwarm_reads_total{loader="${name}",result="${result}"}`),
      ]),
    );
  expect(reads('item')).toEqual({
    memory: 2,
    redis: 0,
    stale: 0,
    loader: 3,
    uncached: 0,
    failed: 0,
  });
  expect(reads('plain')).toEqual({
    memory: 0,
    redis: 3,
    stale: 0,
    loader: 1,
    uncached: 1,
    failed: 2,
  });
  const loads = 'everwarm_loads_total{loader="plain",reason="miss",outcome=';
  expect(series.get(`${loads}"stored"}`)).toBe(1);
  expect(series.get(`${loads}"unstored"}`)).toBe(1);
  expect(series.get(`${loads}"failed"}`)).toBe(2);
  expect(series.get('everwarm_misses_total{loader="plain",cause="absent"}')).toBe(4);
});

test('counts a value past its time as stale', async () => {
  const registry = new Registry();
  const loader = itemLoader();
  const cache = await openCache({ loaders: [loader], metrics: { registry } });
  await cache.get(loader, 'a');
  await cache.invalidate(loader, 'a', { soft: true });
  await cache.get(loader, 'a');

  const series = await scraped(registry);
  expect(series.get('everwarm_reads_total{loader="item",result="stale"}')).toBe(1);
  expect(series.get('everwarm_stale_reads_total{loader="item",why="invalidated"}')).toBe(1);
  expect(series.get('everwarm_invalidations_total{kind="keys",outcome="completed"}')).toBe(1);
});

test('times one read in eight of those that memory does not answer', async () => {
  const registry = new Registry();
  const loader = itemLoader();
  const cache = await openCache({ loaders: [loader], metrics: { registry } });
  for (let nth = 0; nth < 80; nth++) await cache.get(loader, 'a');

  const series = await scraped(registry);
  const durations = 'everwarm_read_duration_seconds';
  expect(series.get(`${durations}_count{loader="item"}`)).toBe(10);
  expect(series.get(`${durations}_bucket{le="+Inf",loader="item"}`)).toBe(10);
  expect(series.get(`${durations}_sum{loader="item"}`)).toBeGreaterThan(0);
});

test('tells of a breaker that is open, and of failures of a server', async () => {
  const registry = new Registry();
  const server = await ownServer();
  const loader = itemLoader();
  const cache = createCache({ redis: server.url, loaders: [loader], metrics: { registry } });
  onTestFinished(() => cache.close());
  await cache.ready();
  const open = 'everwarm_breaker_state{role="cache",node=""}';
  expect((await scraped(registry)).get(open)).toBe(0);
  const opened = nextEvent(cache, 'breaker:opened', ({ role }) => role === 'cache');
  await server.close();
  for (let nth = 0; nth < 10; nth++) await cache.get(loader, `k${nth}`);
  await opened;

  const series = await scraped(registry);
  expect(series.get(open)).toBe(1);
  expect(series.get('everwarm_redis_failures_total{role="cache"}')).toBeGreaterThan(0);
});

test('a scheduler and a worker tell of refreshes, and of the fleet', async () => {
  const registry = new Registry();
  const namespace = uniqueNamespace();
  const loader = itemLoader({ ttl: '1s', refresh: { threshold: 1 }, origin: {} });
  const { cache, worker } = await startRoles({
    namespace,
    loaders: [loader],
    metrics: { registry },
  });
  const landed = nextEvent(worker, 'refresh:completed');
  const reading = setInterval(() => void cache.get(loader, 'a').catch(() => undefined), 20);
  onTestFinished(() => clearInterval(reading));
  await landed;

  const series = await scraped(registry);
  expect(series.get('everwarm_refreshes_total{loader="item",outcome="refreshed"}')).toBeGreaterThan(
    0,
  );
  expect(series.get('everwarm_refresh_lead_seconds_count{loader="item"}')).toBeGreaterThan(0);
  expect(
    series.get('everwarm_planned_keys_total{loader="item",outcome="enqueued"}'),
  ).toBeGreaterThan(0);
  expect(series.get('everwarm_tick_duration_seconds_count{loader="item"}')).toBeGreaterThan(0);
  // Loads of readers and of the worker, which share the registry, side by side in one metric.
  for (const reason of ['miss', 'refresh']) {
    const count = `everwarm_load_duration_seconds_count{loader="item",reason="${reason}"}`;
    expect(series.get(count)).toBeGreaterThan(0);
  }
  expect(series.get('everwarm_threshold{loader="item"}')).toBe(1);
  expect(series.get('everwarm_waste_budget{loader="item"}')).toBe(0.3);
  expect(series.get('everwarm_origin_state{loader="item"}')).toBe(0);
  expect(series.get('everwarm_refreshing_paused{loader="item"}')).toBe(0);
  for (const name of ['backlog', 'tracked_keys', 'failing_keys', 'queue_wait_seconds']) {
    expect(series.get(`everwarm_${name}{loader="item"}`)).toBeGreaterThanOrEqual(0);
  }
});

/** One series of a loader, as a scheduler that starts now tells it. */
function toldOf(
  loader: ReturnType<typeof itemLoader>,
  namespace: string,
  name: string,
): () => Promise<number | undefined> {
  const registry = new Registry();
  const roles = { redis: redisUrl(), namespace, loaders: [loader], metrics: { registry } };
  const scheduler = createScheduler(roles);
  onTestFinished(() => scheduler.close());
  return async () => (await scraped(registry)).get(`${name}{loader="${loader.name}"}`);
}

test('tells that refreshing is paused, and how many keys fail', async () => {
  const namespace = uniqueNamespace();
  const loader = itemLoader();
  const cache = await openCache({ namespace, loaders: [loader] });
  await cache.pauseRefresh(loader);
  const { failing } = new Keys(namespace).tracker(loader, halfLifeMs(loader.ttlMs));
  await connect().hset(failing, 'a', '{}', 'b', '{}');

  await expect.poll(toldOf(loader, namespace, 'everwarm_refreshing_paused')).toBe(1);
  await expect.poll(toldOf(loader, namespace, 'everwarm_failing_keys')).toBe(2);
});

test('tells whether a worker of a loader is there', async () => {
  const loader = itemLoader();
  const alive = (namespace: string) => toldOf(loader, namespace, 'everwarm_worker_alive');
  const namespace = uniqueNamespace();
  await startRefreshers({ namespace, loaders: [loader] });
  await expect.poll(alive(namespace)).toBe(1);
  await expect.poll(alive(uniqueNamespace())).toBe(0);
});

test('tells how full the servers are, and that the queue server evicts', async () => {
  const registry = new Registry();
  const server = await ownServer('--maxmemory', '6mb', '--maxmemory-policy', 'allkeys-lru');
  const redis = connect(server.url);
  const loader = itemLoader();
  const scheduler = createScheduler({
    redis: server.url,
    loaders: [loader],
    metrics: { registry },
  });
  scheduler.on('server:unsuitable', () => undefined);
  onTestFinished(() => scheduler.close());
  const value = async (name: string) => (await scraped(registry)).get(`everwarm_${name}`);
  await expect.poll(() => value('cache_memory_used_ratio')).toBeGreaterThan(0);
  expect(await value('queue_memory_used_ratio')).toBeGreaterThan(0);
  expect(await value('queue_evicting')).toBe(0);

  const fill = setInterval(() => {
    redis.set(`filler ${Math.random()}`, 'x'.repeat(100_000)).catch(() => undefined);
  }, 5);
  onTestFinished(() => clearInterval(fill));
  await expect.poll(() => value('queue_evicting'), { timeout: 12_000 }).toBe(1);
});

test('refuses a registry in which one of its names is taken by somebody else', () => {
  const registry = new Registry();
  new Counter({ name: 'everwarm_loads_total', help: 'not ours', registers: [registry] });
  const loaders = [itemLoader()];
  const rule = /`metrics.registry` .* already has a metric named "everwarm_loads_total"/;
  expect(() => createCache({ loaders, metrics: { registry } })).toThrow(rule);
  expect(() => createWorker({ loaders, metrics: { registry } })).toThrow(rule);
  // Nothing of the refused roles stays behind.
  expect(registry.getMetricsAsArray()).toHaveLength(1);
});

test('leaves the registry when it closes, as the last role of it', async () => {
  const registry = new Registry();
  const loader = itemLoader();
  const loaders = [loader];
  const one = await openCache({ loaders, metrics: { registry } });
  const two = await openCache({ loaders, metrics: { registry } });
  await one.get(loader, 'a');
  await two.get(loader, 'a');
  const waited = 'everwarm_reads_total{loader="item",result="loader"}';
  expect((await scraped(registry)).get(waited)).toBe(2);
  await one.close();
  expect((await scraped(registry)).get(waited)).toBe(1);
  await two.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
});

test('speaks OpenMetrics too', async () => {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const loader = itemLoader();
  const cache = await openCache({ loaders: [loader], metrics: { registry } });
  await cache.get(loader, 'a');
  const text = await registry.metrics();
  expect(text).toContain('# TYPE everwarm_reads counter');
  expect(text).toContain('everwarm_reads_total{loader="item",result="loader"} 1');
  await cache.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
});

test('no key, whatever it is, is a label', async () => {
  const registry = new Registry();
  const loader = itemLoader();
  const cache = await openCache({ loaders: [loader], metrics: { registry } });
  const keys = Array.from({ length: 50 }, (_, nth) => `secret ${nth}`);
  await cache.getMany(loader, keys);
  const before = (await scraped(registry)).size;
  await cache.getMany(
    loader,
    keys.map((key) => `${key} more`),
  );
  await expect(cache.get(loader, 'bad secret')).rejects.toThrow();
  const series = await scraped(registry);
  expect([...series.keys()].filter((line) => line.includes('secret'))).toEqual([]);
  expect(series.size).toBe(before);
});
