import type { Context, Span as OtelSpan } from '@opentelemetry/api';
import type { ContextManager, Span, Telemetry } from 'bullmq';
import type { Tracing } from '../core/tracing.ts';

/** BullMQ's kind of spans for what it does by itself: asking for jobs, renewing locks, and so on without end. */
const INTERNAL = 0;

/** For the options of a queue or a worker: nothing where nobody traces. */
export function telemetryOf(tracing: Tracing | null): { readonly telemetry?: Telemetry<Context> } {
  return tracing === null ? {} : { telemetry: jobTelemetry(tracing) };
}

/** Spans of enqueueing and of processing; a job carries the former's identity to the latter. */
function jobTelemetry(tracing: Tracing): Telemetry<Context> {
  const { tracer, api } = tracing;
  return {
    tracer: {
      startSpan: (name, options, parent) => {
        if (options?.kind === INTERNAL) return SILENT;
        return toJobSpan(tracer.startSpan(name, options, parent), api);
      },
    },
    contextManager: contextManager(api),
  };
}

function contextManager({
  context,
  propagation,
  ROOT_CONTEXT,
}: Tracing['api']): ContextManager<Context> {
  return {
    with: (given, run) => context.with(given, run),
    active: () => context.active(),
    root: () => ROOT_CONTEXT,
    getMetadata: (given) => {
      const carrier = {};
      propagation.inject(given, carrier);
      return JSON.stringify(carrier);
    },
    fromMetadata: (active, metadata) => propagation.extract(active, parse(metadata)),
  };
}

/** What stands in Redis may be of anybody: it must not keep a job from being run. */
function parse(metadata: string): object {
  try {
    const carrier: unknown = JSON.parse(metadata);
    return typeof carrier === 'object' && carrier !== null ? carrier : {};
  } catch {
    return {};
  }
}

function toJobSpan(span: OtelSpan, { trace }: Tracing['api']): Span<Context> {
  return {
    setSpanOnContext: (given) => trace.setSpan(given, span),
    setAttribute: (key, value) => void span.setAttribute(key, value),
    setAttributes: (attributes) => void span.setAttributes(attributes),
    addEvent: (name, attributes) => void span.addEvent(name, attributes),
    recordException: (exception) => span.recordException(exception as Error),
    end: () => span.end(),
  };
}

const SILENT: Span<Context> = {
  setSpanOnContext: (given) => given,
  setAttribute: () => undefined,
  setAttributes: () => undefined,
  addEvent: () => undefined,
  recordException: () => undefined,
  end: () => undefined,
};
