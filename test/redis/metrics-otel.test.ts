import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import { createCache, defineLoader } from '../../src/index.ts';
import { openCache } from '../helpers/cache.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const HOUR_MS = 3_600_000;

function meterProvider(temporality = AggregationTemporality.CUMULATIVE) {
  const exporter = new InMemoryMetricExporter(temporality);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: HOUR_MS });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const collected = async () => {
    exporter.reset();
    await reader.forceFlush();
    const metrics = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
  };
  return { meter: provider.getMeter('test'), collected };
}

function itemLoader(more: object = {}) {
  const load = async (id: string) => {
    if (id === 'bad') throw new Error('no');
    return id;
  };
  return defineLoader({ name: 'item', ttl: '10m', load, ...more });
}

test('a meter gets counters, gauges and histograms, with units', async () => {
  const { meter, collected } = meterProvider();
  const loader = itemLoader();
  const cache = await openCache({ loaders: [loader], metrics: { meter } });
  await cache.get(loader, 'a');
  for (let nth = 0; nth < 128; nth++) await cache.get(loader, 'a');

  const metrics = await collected();
  const points = (name: string) =>
    metrics.get(name)?.dataPoints.map(({ attributes, value }) => ({ attributes, value }));
  expect(points('everwarm.reads')).toContainEqual({
    attributes: { loader: 'item', result: 'redis' },
    value: 128,
  });
  expect(points('everwarm.breaker_state')).toContainEqual({
    attributes: { role: 'cache', node: '' },
    value: 0,
  });
  expect(metrics.get('everwarm.load_duration')?.descriptor.unit).toBe('s');
  expect(points('everwarm.load_duration')).toEqual([
    {
      attributes: { loader: 'item', reason: 'miss' },
      value: expect.objectContaining({ count: 1 }),
    },
  ]);
  // One read in 64: a sample costs a meter more.
  expect(points('everwarm.read_duration')).toEqual([
    { attributes: { loader: 'item' }, value: expect.objectContaining({ count: 2 }) },
  ]);
});

test('a role that is closed observes nothing any more', async () => {
  // Cumulative readers go on telling what they were told last.
  const { meter, collected } = meterProvider(AggregationTemporality.DELTA);
  const loader = itemLoader();
  const cache = createCache({
    redis: redisUrl(),
    namespace: uniqueNamespace(),
    loaders: [loader],
    metrics: { meter },
  });
  await cache.get(loader, 'a');
  expect((await collected()).get('everwarm.reads')?.dataPoints).not.toEqual([]);
  await cache.close();
  expect((await collected()).get('everwarm.reads')?.dataPoints ?? []).toEqual([]);
});
