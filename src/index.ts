export type { Cache, Settable } from './cache.ts';
export {
  type CachedDecorator,
  type CachedMethod,
  type CachedOptions,
  cached,
  cachedMethod,
} from './cached.ts';
export type { ClusterNode, ClusterTarget } from './config/cluster-target.ts';
export type { EmptyGuardOptions } from './config/empty-guard-option.ts';
export type { MemoryOptions } from './config/memory-option.ts';
export type {
  MetricsMeter,
  MetricsOptions,
  MetricsRegistry,
  MetricsTracer,
} from './config/metrics-option.ts';
export type {
  CacheOptions,
  SchedulerOptions,
  WarmOnStartOptions,
  WorkerOptions,
} from './config/options.ts';
export type { BreakerOptions, OriginOptions } from './config/origin-option.ts';
export type { LimitOptions, RateLimiterOptions } from './config/rate-limit.ts';
export type { RedisOption, RedisTarget } from './config/redis-option.ts';
export type { RefreshOptions } from './config/refresh-option.ts';
export type { Codec } from './config/value-format.ts';
export type { Duration } from './core/duration.ts';
export {
  type ErrorCode,
  EverwarmError,
  InvalidKeyError,
  InvalidOptionError,
  LoaderError,
} from './core/errors.ts';
export type { EventMap, EventName, LoadReason, StaleReason } from './core/events.ts';
export type { Health } from './core/health.ts';
export type {
  Invalidation,
  InvalidationHook,
  InvalidationTarget,
} from './core/invalidation.ts';
export { createCache } from './create-cache.ts';
export {
  createRateLimiter,
  type RateLimiter,
  type RateLimitResult,
  type TakeOptions,
} from './create-rate-limiter.ts';
export { createScheduler, type Scheduler } from './create-scheduler.ts';
export { createWorker, type RefreshWorkers } from './create-worker.ts';
export type {
  ConfirmOptions,
  InvalidateOptions,
  LoaderInvalidateOptions,
} from './invalidate/invalidate-options.ts';
export { type NotModified, notModified, type WithEtag, withEtag } from './loaders/answers.ts';
export {
  defineLoader,
  type LoadContext,
  type Loader,
  type LoaderAnswer,
  type LoaderDefinition,
  type LoadManyContext,
} from './loaders/define-loader.ts';
export type { StandardSchemaV1 } from './loaders/schema.ts';
export type { LoadTimeouts } from './loaders/times.ts';
export type { ExplainedEntry, ExplainedHeat, Explanation } from './observe/explanation.ts';
export type { WarmUpProgress } from './queue/warm-up-job.ts';
export type { Meta } from './read/answer.ts';
export type { LastWarmUpRun } from './redis/warm-up-runs.ts';
export { defineWarmUp, type WarmUpDefinition } from './warm/define-warm-up.ts';
export type { Hottest, KeySource, KeysContext, PastHour, WarmKeys } from './warm/warm-keys.ts';
export type { ReadyOptions, WarmReady } from './warm/warm-start.ts';
export type { WarmUp } from './warm/warm-up.ts';
export type { WarmUpRunStatus, WarmUpStatus } from './warm/warm-up-status.ts';
export type { WarmOptions, WarmResult } from './warm/warmer.ts';
export type { WrapOptions, Wrapped, WrappedParts } from './wrap-function.ts';
