import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { InvalidationHook } from '../core/invalidation.ts';
import { DEFAULTS } from './defaults.ts';
import { type MemoryOptions, type MemorySettings, resolveMemory } from './memory-option.ts';
import { type MetricsSettings, resolveMetrics, type WithMetrics } from './metrics-option.ts';
import { type RedisOption, type RedisTargets, resolveRedis } from './redis-option.ts';
import { checkRefreshMode, type RefreshMode } from './refresh-mode.ts';
import { checkHottest, checkName, checkObject, count, span, yesOrNo } from './rules.ts';

/** What every role takes. */
export interface RoleOptions {
  /** One Redis, or `{ cache, queue }`. @defaultValue `REDIS_URL`, else `redis://127.0.0.1:6379` */
  readonly redis?: RedisOption;
  /** First part of every key name: `[A-Za-z0-9_.-]{1,64}`. @defaultValue `EVERWARM_NAMESPACE`, else `'everwarm'` */
  readonly namespace?: string;
  /** Refuse an unreachable or unsuitable Redis instead of warning. @defaultValue `false` */
  readonly strict?: boolean;
}

export interface CacheOptions extends RoleOptions, WithMetrics {
  /** A read that Redis has not answered by then goes to the loader. @defaultValue `'250ms'` */
  readonly readTimeout?: Duration;
  /** Life of a load's lock, renewed every third of it. @defaultValue `'3s'` */
  readonly lockTtl?: Duration;
  /** Record reads, so that hot keys are refreshed, and the fleet's hit rates known. @defaultValue `true` */
  readonly recording?: boolean;
  /** Keys per second this process records in full; above it keys are sampled. @defaultValue `2000` */
  readonly recordRate?: number;
  /** How often reads are sent to the tracker, at most ttl/16. @defaultValue `'1s'` */
  readonly flushInterval?: Duration;
  /** Keys whose reads may wait for the next flush. @defaultValue `50000` */
  readonly maxPendingKeys?: number;
  /** An in-process tier for each loader that has no say of its own in it. */
  readonly memory?: MemoryOptions;
  /** Load the hottest keys of each loader in the background when the process starts. */
  readonly warmOnStart?: WarmOnStartOptions;
  /** Called with each invalidation of this cache, to relay it to another region. */
  readonly onInvalidate?: InvalidationHook;
}

export interface WarmOnStartOptions {
  /** So many keys of each loader, the hottest first. */
  readonly hottest: number;
}

export interface SchedulerOptions extends RoleOptions, WithMetrics {
  /** Time between ticks that find work, at most ttl/20, at least 50 ms. @defaultValue `'250ms'` */
  readonly tickInterval?: Duration;
  /** Shortest life of a claim; longer where three leads are. @defaultValue `'2s'` */
  readonly claimTtl?: Duration;
  /** Keys tracked per loader; the coldest leave first. @defaultValue `1000000` */
  readonly maxTrackedKeys?: number;
  /** Memory of the queue server that a loader's heats and dues may take; over it the coldest keys leave. */
  readonly maxTrackedBytes?: number;
  /** `'shadow'`: plan, count and report what would be refreshed, and refresh nothing. @defaultValue `'active'` */
  readonly mode?: RefreshMode;
}

export interface WorkerOptions extends RoleOptions, WithMetrics {
  /** Loader calls at a time, per loader in this process. @defaultValue `50` */
  readonly concurrency?: number;
  /** Life of a load's lock, renewed every third of it. @defaultValue `'3s'` */
  readonly lockTtl?: Duration;
  /** How long `close()` lets running loads finish before it aborts them. @defaultValue `'10s'` */
  readonly grace?: Duration;
}

export interface RoleSettings {
  readonly redis: RedisTargets;
  readonly namespace: string;
  readonly strict: boolean;
}

interface MeasuredSettings extends RoleSettings {
  /** Null: nothing is counted. */
  readonly metrics: MetricsSettings | null;
}

export interface CacheSettings extends MeasuredSettings {
  readonly readTimeoutMs: number;
  readonly lockTtlMs: number;
  readonly recording: boolean;
  readonly recordRate: number;
  readonly flushIntervalMs: number;
  readonly maxPendingKeys: number;
  readonly memory: MemorySettings | null;
  readonly onInvalidate: InvalidationHook | null;
  /** So many keys of each loader are loaded at start; null: none. */
  readonly warmOnStart: number | null;
}

export interface SchedulerSettings extends MeasuredSettings {
  readonly tickIntervalMs: number;
  readonly claimTtlMs: number;
  readonly maxTrackedKeys: number;
  /** Null: no limit but the server's memory. */
  readonly maxTrackedBytes: number | null;
  readonly mode: RefreshMode;
}

export interface WorkerSettings extends MeasuredSettings {
  readonly concurrency: number;
  readonly lockTtlMs: number;
  readonly graceMs: number;
}

export function resolveCache(options: CacheOptions): CacheSettings {
  return {
    ...resolveRole(options),
    metrics: resolveMetrics(options.metrics),
    readTimeoutMs: span(options.readTimeout, 'readTimeout', { or: DEFAULTS.readTimeoutMs, min: 1 }),
    lockTtlMs: span(options.lockTtl, 'lockTtl', { or: DEFAULTS.lockTtlMs, min: 100 }),
    recording: yesOrNo(options.recording, 'recording', true),
    recordRate: count(options.recordRate, 'recordRate', DEFAULTS.recordRate),
    flushIntervalMs: span(options.flushInterval, 'flushInterval', {
      or: DEFAULTS.flushIntervalMs,
      min: 100,
    }),
    maxPendingKeys: count(options.maxPendingKeys, 'maxPendingKeys', DEFAULTS.maxPendingKeys),
    memory: resolveMemory(options.memory, 'memory'),
    onInvalidate: checkHook(options.onInvalidate),
    warmOnStart: resolveWarmOnStart(options.warmOnStart),
  };
}

export function resolveScheduler(options: SchedulerOptions): SchedulerSettings {
  return {
    ...resolveRole(options),
    metrics: resolveMetrics(options.metrics),
    tickIntervalMs: span(options.tickInterval, 'tickInterval', {
      or: DEFAULTS.tickIntervalMs,
      min: 50,
    }),
    claimTtlMs: span(options.claimTtl, 'claimTtl', { or: DEFAULTS.claimTtlMs, min: 100 }),
    maxTrackedKeys: count(options.maxTrackedKeys, 'maxTrackedKeys', DEFAULTS.maxTrackedKeys),
    maxTrackedBytes:
      options.maxTrackedBytes === undefined
        ? null
        : count(options.maxTrackedBytes, 'maxTrackedBytes', 1),
    mode: checkRefreshMode(options.mode, 'mode'),
  };
}

export function resolveWorker(options: WorkerOptions): WorkerSettings {
  return {
    ...resolveRole(options),
    metrics: resolveMetrics(options.metrics),
    concurrency: count(options.concurrency, 'concurrency', DEFAULTS.concurrency),
    lockTtlMs: span(options.lockTtl, 'lockTtl', { or: DEFAULTS.lockTtlMs, min: 100 }),
    graceMs: span(options.grace, 'grace', { or: DEFAULTS.graceMs, min: 0 }),
  };
}

function checkHook(hook: InvalidationHook | undefined): InvalidationHook | null {
  if (hook === undefined || typeof hook === 'function') return hook ?? null;
  throw new InvalidOptionError('onInvalidate', hook, 'must be a function');
}

function resolveWarmOnStart(option: WarmOnStartOptions | undefined): number | null {
  if (option === undefined) return null;
  checkObject(option, 'warmOnStart');
  return checkHottest(option.hottest, 'warmOnStart.hottest');
}

export function resolveRole(options: RoleOptions): RoleSettings {
  checkObject(options, 'options');
  const { namespace = process.env.EVERWARM_NAMESPACE ?? DEFAULTS.namespace } = options;
  return {
    redis: resolveRedis(options.redis),
    namespace: checkName(namespace, 'namespace'),
    strict: yesOrNo(options.strict, 'strict', false),
  };
}
