export type { CacheOptions, SchedulerOptions, WorkerOptions } from './config/options.ts';
export type { RedisOption, RedisTarget } from './config/redis-option.ts';
export type { Duration } from './core/duration.ts';
export {
  type ErrorCode,
  EverwarmError,
  InvalidKeyError,
  InvalidOptionError,
  LoaderError,
} from './core/errors.ts';
export type { EventMap, EventName, LoadReason } from './core/events.ts';
export type {
  Invalidation,
  InvalidationHook,
  InvalidationTarget,
} from './core/invalidation.ts';
export { type Cache, createCache } from './create-cache.ts';
export { createScheduler, type Scheduler } from './create-scheduler.ts';
export { createWorker, type RefreshWorkers } from './create-worker.ts';
export {
  defineLoader,
  type LoadContext,
  type Loader,
  type LoaderDefinition,
  type LoadManyContext,
  type RefreshOptions,
} from './loaders/define-loader.ts';
export type { Meta } from './read/answer.ts';
export type {
  ConfirmOptions,
  InvalidateOptions,
  LoaderInvalidateOptions,
} from './read/invalidate-options.ts';
