import { createRequire } from 'node:module';
import type * as OpenTelemetry from '@opentelemetry/api';
import { InvalidOptionError, messageOf } from './errors.ts';
import type { SpanAttributes, Spans, Told } from './spans.ts';

/**
 * Spans that are the parents of what begins in them, and the API by which they travel to other processes. That needs the context
 * manager and the propagator of the application's SDK; without them every span is a trace of its own.
 */
export class Tracing implements Spans {
  readonly tracer: OpenTelemetry.Tracer;
  readonly api: typeof OpenTelemetry;

  /** @throws InvalidOptionError where the package of the tracer is not to be had */
  constructor(tracer: object) {
    this.tracer = tracer as OpenTelemetry.Tracer;
    this.api = loadApi(tracer);
  }

  async inSpan<T>(name: string, run: () => Promise<T>, tell: (result: T) => Told): Promise<T> {
    const { context, trace, SpanStatusCode } = this.api;
    const span = this.tracer.startSpan(name);
    const fail = (error: unknown): void => {
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    };
    try {
      const result = await context.with(trace.setSpan(context.active(), span), run);
      const { attributes, error } = tell(result);
      span.setAttributes(prefixed(attributes));
      if (error !== undefined) fail(error);
      return result;
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      span.end();
    }
  }
}

/** As attributes of a span are named here. */
export function prefixed(attributes: SpanAttributes): SpanAttributes {
  const named = Object.entries(attributes).map(([name, value]) => [`everwarm.${name}`, value]);
  return Object.fromEntries(named);
}

/** Starts what goes on for ever, which is no part of the span in which it happens to be started. */
export function detached(tracing: Tracing | null, start: () => void): () => void {
  if (tracing === null) return start;
  const { context, ROOT_CONTEXT } = tracing.api;
  return () => context.with(ROOT_CONTEXT, start);
}

/** At once, as roles are made at once; and only where somebody traces, who has the package then. */
function loadApi(tracer: object): typeof OpenTelemetry {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api');
  } catch (error) {
    const rule = `needs the package @opentelemetry/api, which could not be loaded: ${messageOf(error)}`;
    throw new InvalidOptionError('metrics.tracer', tracer, rule);
  }
}
