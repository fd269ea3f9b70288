// Loaded before a program under test (node --import), as an application loads its OpenTelemetry SDK: prints each span as it ends.
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** A span as it is printed, one JSON object a line. */
export interface PrintedSpan {
  readonly span: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
}

function printed(span: ReadableSpan): PrintedSpan {
  const { traceId, spanId } = span.spanContext();
  return { span: span.name, traceId, spanId, parentId: span.parentSpanContext?.spanId ?? null };
}

const exporter = {
  export(spans: readonly ReadableSpan[], done: (result: { code: number }) => void): void {
    for (const span of spans) process.stdout.write(`${JSON.stringify(printed(span))}\n`);
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);
