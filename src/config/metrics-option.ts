import { InvalidOptionError } from '../core/errors.ts';
import { checkObject } from './rules.ts';

/** Where a role's metrics and traces go; both ways at once if need be. */
export interface MetricsOptions {
  /** A prom-client registry of the application; never the global one of itself. Several roles may share one. */
  readonly registry?: MetricsRegistry;
  /** An OpenTelemetry meter of the application's meter provider. */
  readonly meter?: MetricsMeter;
  /** An OpenTelemetry tracer: spans of ticks, jobs, loads, refreshes and warm-ups, joined by the context of `@opentelemetry/api`. */
  readonly tracer?: MetricsTracer;
}

export interface WithMetrics {
  /** Metrics and traces of this role. */
  readonly metrics?: MetricsOptions;
}

/** What is used of prom-client's `Registry`; described here, so that no application needs to install it. */
export interface MetricsRegistry {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

interface InstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

type Attributes = Record<string, string | number | boolean>;

/** An observable instrument as OpenTelemetry's API has it. */
export interface ObservableInstrument {
  addCallback(callback: ObserveCallback): void;
  removeCallback(callback: ObserveCallback): void;
}

export type ObserveCallback = (result: {
  observe(value: number, attributes?: Attributes): void;
}) => void;

/** What is used of OpenTelemetry's `Meter`. */
export interface MetricsMeter {
  createObservableCounter(name: string, options?: InstrumentOptions): ObservableInstrument;
  createObservableGauge(name: string, options?: InstrumentOptions): ObservableInstrument;
  createHistogram(
    name: string,
    options?: InstrumentOptions,
  ): { record(value: number, attributes?: Attributes): void };
}

/** What is used of OpenTelemetry's `Tracer`. */
export interface MetricsTracer {
  startSpan(
    name: string,
    options?: { startTime?: number; attributes?: Attributes },
  ): {
    spanContext(): unknown;
    setAttribute(name: string, value: string): unknown;
    setAttributes(attributes: Attributes): unknown;
    addEvent(name: string): unknown;
    recordException(error: Error): void;
    setStatus(status: { code: number; message?: string }): unknown;
    end(endTime?: number): void;
  };
}

export interface MetricsSettings {
  readonly registry: MetricsRegistry | null;
  readonly meter: MetricsMeter | null;
  readonly tracer: MetricsTracer | null;
}

/** Null: nothing is counted. */
export function resolveMetrics(options: MetricsOptions | undefined): MetricsSettings | null {
  if (options === undefined) return null;
  checkObject(options, 'metrics', 'must be { registry, meter, tracer }');
  const { registry = null, meter = null, tracer = null } = options;
  if (registry === null && meter === null && tracer === null) {
    throw new InvalidOptionError('metrics', options, 'needs a `registry`, a `meter` or a `tracer`');
  }
  requireMethods(registry, 'registry', {
    names: ['registerMetric', 'getSingleMetric', 'removeSingleMetric'],
    rule: 'must be a Registry of prom-client',
  });
  requireMethods(meter, 'meter', {
    names: ['createObservableCounter', 'createObservableGauge', 'createHistogram'],
    rule: 'must be a Meter of @opentelemetry/api',
  });
  const rule = 'must be a Tracer of @opentelemetry/api';
  requireMethods(tracer, 'tracer', { names: ['startSpan'], rule });
  return { registry, meter, tracer };
}

function requireMethods(
  given: object | null,
  option: string,
  { names, rule }: { readonly names: readonly string[]; readonly rule: string },
): void {
  if (given === null) return;
  const has = (name: string): boolean =>
    typeof (given as Record<string, unknown>)[name] === 'function';
  if (!names.every(has)) throw new InvalidOptionError(`metrics.${option}`, given, rule);
}
