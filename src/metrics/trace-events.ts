import type { MetricsTracer } from '../config/metrics-option.ts';
import { messageOf } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import type { SpanAttributes } from '../core/spans.ts';
import { prefixed } from '../core/tracing.ts';

const ERROR_STATUS = 2;

interface Ended {
  readonly name: string;
  readonly tookMs: number;
  readonly attributes: SpanAttributes;
  readonly error?: unknown;
}

/** Tells a tracer of refreshes and warm-ups as they end, as parts of what they happened in. */
export function traceEvents(events: Events, tracer: MetricsTracer): void {
  const told = ({ name, tookMs, attributes, error }: Ended): void => {
    const endTime = Date.now();
    const span = tracer.startSpan(name, {
      startTime: endTime - tookMs,
      attributes: prefixed(attributes),
    });
    if (error !== undefined) span.setStatus({ code: ERROR_STATUS, message: messageOf(error) });
    span.end(endTime);
  };
  events.on('refresh:completed', ({ loadMs, ...attributes }) => {
    told({ name: 'everwarm.refresh', tookMs: loadMs, attributes });
  });
  events.on('refresh:failed', ({ error, ...attributes }) => {
    told({ name: 'everwarm.refresh', tookMs: 0, attributes, error });
  });
  events.on('warmup:completed', ({ tookMs, ...attributes }) => {
    told({ name: 'everwarm.warm_up', tookMs, attributes });
  });
  events.on('warmup:failed', ({ error, ...attributes }) => {
    told({ name: 'everwarm.warm_up', tookMs: 0, attributes, error });
  });
}
