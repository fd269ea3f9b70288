import type { MetricsRegistry } from '../config/metrics-option.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { Histogram } from '../core/histogram.ts';
import { type Family, keyOf } from './family.ts';
import type { Metric, Sample } from './metric.ts';

interface PromValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

type Aggregator = 'max' | 'sum';

interface Source {
  readonly family: Family;
  readonly collect: () => void;
}

/**
 * A metric as prom-client's registry reads it: by `get()`, at each scrape. Not one of its own Counters or
 * Histograms, so that nothing is kept twice, and no copy of prom-client but the application's is there.
 * All roles that publish to the registry share it: a cache and a worker of one process both load.
 */
class PromMetric {
  /** The registry takes `_total` off counters when it speaks OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: Metric['type'];
  /** How prom-client joins the metrics of a cluster's processes. */
  readonly aggregator: Aggregator;
  readonly #metric: Metric;
  readonly #sources = new Set<Source>();

  constructor(metric: Metric) {
    this.#metric = metric;
    this.name = metric.name;
    this.help = metric.help;
    this.type = metric.type;
    this.aggregator = metric.type === 'gauge' || metric.isOfFleet ? 'max' : 'sum';
  }

  add(source: Source): void {
    this.#sources.add(source);
  }

  /** Answers whether anybody is left to publish it. */
  remove(source: Source): boolean {
    this.#sources.delete(source);
    return this.#sources.size > 0;
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    for (const { collect } of this.#sources) collect();
    const all = [...this.#sources].flatMap(({ family }) => family.samples());
    const values = merged(all, aggregator).flatMap((sample) => valuesOf(sample, this.#metric));
    return { name, help, type, aggregator, values };
  }

  /** Of the registry's `resetMetrics()`: the counts are the roles', which go on. */
  reset(): void {}
}

/**
 * Publishes a role's metrics; the answer ends that.
 *
 * @throws InvalidOptionError if one of their names is taken
 */
export function publishToRegistry(
  registry: MetricsRegistry,
  families: readonly Family[],
  collect: () => void,
): () => void {
  for (const { metric } of families) requireFree(registry, metric.name);
  const sources = families.map((family) => ({ family, collect }));
  for (const source of sources) {
    const { metric } = source.family;
    const known = registry.getSingleMetric(metric.name);
    const published = known instanceof PromMetric ? known : new PromMetric(metric);
    if (published !== known) registry.registerMetric(published as never);
    published.add(source);
  }
  return () => {
    for (const source of sources) {
      const { name } = source.family.metric;
      const published = registry.getSingleMetric(name);
      if (published instanceof PromMetric && !published.remove(source)) {
        registry.removeSingleMetric(name);
      }
    }
  };
}

function requireFree(registry: MetricsRegistry, name: string): void {
  const taken = registry.getSingleMetric(name);
  if (taken === undefined || taken instanceof PromMetric) return;
  const rule = `already has a metric named "${name}" that is not Everwarm's: give it a registry of its own`;
  throw new InvalidOptionError('metrics.registry', registry, rule);
}

/** Samples of the same labels as one: counts add up, of states and of the fleet's counts the highest stands. */
function merged(samples: readonly Sample[], aggregator: Aggregator): readonly Sample[] {
  const byKey = new Map<string, { labels: readonly string[]; value: number | Histogram }>();
  for (const { labels, value } of samples) {
    const key = keyOf(labels);
    const known = byKey.get(key);
    if (!known) byKey.set(key, { labels, value });
    else known.value = together(known.value, value, aggregator);
  }
  return [...byKey.values()];
}

function together(
  a: number | Histogram,
  b: number | Histogram,
  aggregator: Aggregator,
): number | Histogram {
  if (typeof a === 'number' && typeof b === 'number') {
    return aggregator === 'max' ? Math.max(a, b) : a + b;
  }
  const sum = new Histogram((a as Histogram).bounds);
  for (const one of [a, b]) sum.add(one as Histogram);
  return sum;
}

function valuesOf({ labels, value }: Sample, metric: Metric): PromValue[] {
  const named = Object.fromEntries(metric.labels.map((name, at) => [name, labels[at] ?? '']));
  if (typeof value === 'number') return [{ labels: named, value }];
  const buckets: PromValue[] = [];
  let count = 0;
  for (const [at, inBucket] of value.counts.entries()) {
    count += inBucket;
    const le = value.bounds[at] ?? '+Inf';
    buckets.push({
      labels: { le, ...named },
      value: count,
      metricName: `${metric.name}_bucket`,
    });
  }
  return [
    ...buckets,
    { labels: named, value: value.sum, metricName: `${metric.name}_sum` },
    { labels: named, value: count, metricName: `${metric.name}_count` },
  ];
}
