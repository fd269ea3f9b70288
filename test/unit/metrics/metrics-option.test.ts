import { expect, test } from 'vitest';
import { resolveMetrics } from '../../../src/config/metrics-option.ts';

test('without the option nothing is counted', () => {
  expect(resolveMetrics(undefined)).toBeNull();
});

test.for([
  [{}, /`metrics` .* needs a `registry`, a `meter` or a `tracer`/],
  [true, /`metrics` \(true\) must be \{ registry, meter, tracer \}/],
  [{ registry: {} }, /`metrics.registry` .* must be a Registry of prom-client/],
  [{ meter: {} }, /`metrics.meter` .* must be a Meter of @opentelemetry\/api/],
  [{ tracer: {} }, /`metrics.tracer` .* must be a Tracer of @opentelemetry\/api/],
] as const)('refuses %j', ([options, rule]) => {
  expect(() => resolveMetrics(options as never)).toThrow(rule);
});
