import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as everwarm from '../../src/index.ts';

/** The names that index.ts exports, types included: those leave no trace at run time. */
function exportedNames(): string[] {
  const source = readFileSync(new URL('../../src/index.ts', import.meta.url), 'utf8');
  return [...source.matchAll(/export (type )?\{([^}]*)\}/g)]
    .flatMap(([, allTypes, names]) =>
      String(names)
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => (allTypes && !name.startsWith('type ') ? `type ${name}` : name)),
    )
    .sort();
}

test('the public API is these names: a change here is a change for every user', () => {
  expect(exportedNames()).toMatchInlineSnapshot(`
    [
      "EverwarmError",
      "InvalidKeyError",
      "InvalidOptionError",
      "LoaderError",
      "cached",
      "cachedMethod",
      "createCache",
      "createRateLimiter",
      "createScheduler",
      "createWorker",
      "defineLoader",
      "defineWarmUp",
      "notModified",
      "type BreakerOptions",
      "type Cache",
      "type CacheOptions",
      "type CachedDecorator",
      "type CachedMethod",
      "type CachedOptions",
      "type ClusterNode",
      "type ClusterTarget",
      "type Codec",
      "type ConfirmOptions",
      "type Duration",
      "type EmptyGuardOptions",
      "type ErrorCode",
      "type EventMap",
      "type EventName",
      "type ExplainedEntry",
      "type ExplainedHeat",
      "type Explanation",
      "type Health",
      "type Hottest",
      "type InvalidateOptions",
      "type Invalidation",
      "type InvalidationHook",
      "type InvalidationTarget",
      "type KeySource",
      "type KeysContext",
      "type LastWarmUpRun",
      "type LimitOptions",
      "type LoadContext",
      "type LoadManyContext",
      "type LoadReason",
      "type LoadTimeouts",
      "type Loader",
      "type LoaderAnswer",
      "type LoaderDefinition",
      "type LoaderInvalidateOptions",
      "type MemoryOptions",
      "type Meta",
      "type MetricsMeter",
      "type MetricsOptions",
      "type MetricsRegistry",
      "type MetricsTracer",
      "type NotModified",
      "type OriginOptions",
      "type PastHour",
      "type RateLimitResult",
      "type RateLimiter",
      "type RateLimiterOptions",
      "type ReadyOptions",
      "type RedisOption",
      "type RedisTarget",
      "type RefreshOptions",
      "type RefreshWorkers",
      "type Scheduler",
      "type SchedulerOptions",
      "type Settable",
      "type StaleReason",
      "type StandardSchemaV1",
      "type TakeOptions",
      "type WarmKeys",
      "type WarmOnStartOptions",
      "type WarmOptions",
      "type WarmReady",
      "type WarmResult",
      "type WarmUp",
      "type WarmUpDefinition",
      "type WarmUpProgress",
      "type WarmUpRunStatus",
      "type WarmUpStatus",
      "type WithEtag",
      "type WorkerOptions",
      "type WrapOptions",
      "type Wrapped",
      "type WrappedParts",
      "withEtag",
    ]
  `);
});

test('every value among them is there at run time, and nothing else', () => {
  const values = exportedNames().filter((name) => !name.startsWith('type '));
  expect(Object.keys(everwarm).sort()).toEqual(values);
});
