import type { MetricsMeter, ObserveCallback } from '../config/metrics-option.ts';
import type { Family } from './family.ts';
import type { Metric } from './metric.ts';

/**
 * Publishes a role's metrics through a meter; the answer ends that. Counters and gauges are read when the
 * application's reader collects; histograms, which the API cannot observe, are recorded as they happen.
 */
export function publishToMeter(
  meter: MetricsMeter,
  families: readonly Family[],
  collect: () => void,
): () => void {
  const closers = families.map((family) =>
    family.metric.type === 'histogram'
      ? recordHistogram(meter, family)
      : observeFamily(meter, family, collect),
  );
  return () => {
    for (const close of closers) close();
  };
}

function recordHistogram(meter: MetricsMeter, family: Family): () => void {
  const { metric } = family;
  const advice = { explicitBucketBoundaries: [...(metric.bounds ?? [])] };
  const histogram = meter.createHistogram(instrumentName(metric), { ...optionsOf(metric), advice });
  family.onObserve = (labels, value) => histogram.record(value, attributesOf(metric, labels));
  return () => {
    family.onObserve = null;
  };
}

function observeFamily(meter: MetricsMeter, family: Family, collect: () => void): () => void {
  const { metric } = family;
  const create = metric.type === 'counter' ? 'createObservableCounter' : 'createObservableGauge';
  const instrument = meter[create](instrumentName(metric), optionsOf(metric));
  const observe: ObserveCallback = (result) => {
    collect();
    for (const { labels, value } of family.samples()) {
      if (typeof value === 'number') result.observe(value, attributesOf(metric, labels));
    }
  };
  instrument.addCallback(observe);
  return () => instrument.removeCallback(observe);
}

/** Without what Prometheus has in the name and OpenTelemetry in the unit: an exporter puts it back. */
function instrumentName({ name }: Metric): string {
  return name.replace(/^everwarm_/, 'everwarm.').replace(/_(total|seconds|ratio)$/, '');
}

function optionsOf({ name, help }: Metric): { description: string; unit?: string } {
  if (name.endsWith('_seconds')) return { description: help, unit: 's' };
  return name.endsWith('_ratio') ? { description: help, unit: '1' } : { description: help };
}

function attributesOf(
  { labels: names }: Metric,
  labels: readonly string[],
): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, labels[at] ?? '']));
}
