import type { MetricsSettings } from '../config/metrics-option.ts';
import type { Events } from '../core/events.ts';
import { Tracing } from '../core/tracing.ts';
import { countEvents } from './count-events.ts';
import { Family } from './family.ts';
import type { Metric, MetricsRole } from './metric.ts';
import { METRICS } from './metrics.ts';
import { publishToMeter } from './otel-meter.ts';
import { publishToRegistry } from './prom-registry.ts';
import { traceEvents } from './trace-events.ts';

/** What one running role counts, published until `close()`. */
export class RoleMetrics {
  readonly #families = new Map<Metric, Family>();
  readonly #closers: (() => void)[] = [];
  readonly #onCollect: (() => void)[] = [];
  /** Null: nobody traces. */
  readonly tracing: Tracing | null;
  /** A sample through a meter costs ten times as much as one of our own. */
  readonly timeOneIn: number;

  /**
   * Null: nothing is to be counted.
   *
   * @throws InvalidOptionError for a registry in which one of the names is taken
   */
  static open(
    settings: MetricsSettings | null,
    role: MetricsRole,
    events: Events,
  ): RoleMetrics | null {
    return settings && new RoleMetrics(settings, role, events);
  }

  private constructor(settings: MetricsSettings, role: MetricsRole, events: Events) {
    const { registry, meter, tracer } = settings;
    this.timeOneIn = meter ? 64 : 8;
    for (const metric of Object.values<Metric>(METRICS)) {
      if (metric.roles.includes(role)) this.#families.set(metric, new Family(metric));
    }
    const families = [...this.#families.values()];
    const collect = (): void => this.#collect();
    if (registry) this.#closers.push(publishToRegistry(registry, families, collect));
    if (meter) this.#closers.push(publishToMeter(meter, families, collect));
    countEvents(events, (metric) => this.#families.get(metric) ?? null);
    this.tracing = tracer && new Tracing(tracer);
    if (tracer) traceEvents(events, tracer);
  }

  /** A metric that this role has. */
  family(metric: Metric): Family {
    const family = this.#families.get(metric);
    if (!family) throw new Error(`${metric.name} is no metric of this role`);
    return family;
  }

  /** Counts of a loader or plan start at 0, not with their first event: a rate could not tell that one. */
  begin(label: 'loader' | 'plan', name: string): void {
    for (const [{ type, labels, from }, family] of this.#families) {
      if (type !== 'counter' || labels[0] !== label) continue;
      for (const rest of from ?? (labels.length === 1 ? [[]] : [])) family.add([name, ...rest], 0);
    }
  }

  /** Calls back before values are read, to bring them up to date. */
  onCollect(update: () => void): void {
    this.#onCollect.push(update);
  }

  /** Publishes nothing any more. */
  close(): void {
    for (const close of this.#closers) close();
  }

  #collect(): void {
    for (const update of this.#onCollect) update();
  }
}
