import type { MetricsTracer } from '../src/config/metrics-option.ts';
import { EverwarmError, messageOf } from '../src/core/errors.ts';

export interface TraceFlags {
  readonly traces?: boolean | undefined;
}

/**
 * The tracer of the OpenTelemetry SDK that this process was started with (`node --import`); null: no traces are asked for.
 *
 * @throws EverwarmError OPENTELEMETRY_MISSING without the package
 */
export async function processTracer({ traces }: TraceFlags): Promise<MetricsTracer | null> {
  if (!traces) return null;
  try {
    const { trace } = await import('@opentelemetry/api');
    return trace.getTracer('everwarm');
  } catch (cause) {
    const text = `--traces needs the package @opentelemetry/api, which could not be loaded: ${messageOf(cause)}`;
    throw new EverwarmError('OPENTELEMETRY_MISSING', text, { cause });
  }
}
