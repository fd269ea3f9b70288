import { DEFAULTS } from '../src/config/defaults.ts';
import type { RedisOption } from '../src/config/redis-option.ts';
import { type Duration, parseDuration } from '../src/core/duration.ts';
import { InvalidOptionError } from '../src/core/errors.ts';
import { createScheduler } from '../src/create-scheduler.ts';
import { createWorker } from '../src/create-worker.ts';
import { type LoadersFile, loadLoaders } from './load-loaders.ts';
import { type LogFlags, openLog } from './log.ts';
import { logEvents } from './log-events.ts';
import { type MetricsFlags, openMetrics } from './metrics-server.ts';
import { Ops, type OpsFlags } from './ops.ts';
import type { TraceFlags } from './process-tracer.ts';
import { runUntilSignal } from './shutdown.ts';

export interface RoleFlags extends LogFlags, OpsFlags, MetricsFlags, TraceFlags {
  /** Path of the file that exports the loaders. */
  readonly loaders: string;
  readonly redis?: string | undefined;
  readonly queueRedis?: string | undefined;
  readonly namespace?: string | undefined;
  readonly strict?: boolean | undefined;
  readonly concurrency?: number | undefined;
  readonly grace?: string | undefined;
  readonly shadow?: boolean | undefined;
}

/** What a role may take to close beyond its grace: to abort loads, to give up Redis. */
const CLOSE_MS = 8_000;

/** The environment that says what the flags say, for programs and modules that open a cache of their own. */
export function environmentOf({ redis, queueRedis, namespace }: RoleFlags): NodeJS.ProcessEnv {
  return {
    ...(redis && { REDIS_URL: redis }),
    ...(queueRedis && { REDIS_QUEUE_URL: queueRedis }),
    ...(namespace && { EVERWARM_NAMESPACE: namespace }),
  };
}

/** The loaders and warm-ups of the flags' file. One that wraps functions opens its cache on the flags' servers. */
export function loadersOf(flags: RoleFlags): Promise<LoadersFile> {
  Object.assign(process.env, environmentOf(flags));
  return loadLoaders(flags.loaders);
}

/** Runs a worker or a scheduler in this process until SIGTERM or SIGINT. */
export async function runRole(role: 'worker' | 'scheduler', flags: RoleFlags): Promise<void> {
  const log = await openLog(role, flags);
  const { loaders, warmUps } = await loadersOf(flags);
  const metrics = await openMetrics(flags);
  const options = { ...roleOptions(flags), ...metrics.options };
  const running =
    role === 'worker'
      ? createWorker({ ...options, ...workerOptions(flags), loaders })
      : createScheduler({ ...options, ...(flags.shadow && { mode: 'shadow' }), loaders, warmUps });
  logEvents(log, running);
  const health = (): ReturnType<typeof running.health> => running.health();
  const { handlers, url } = metrics;
  let ops: Ops | null = null;
  const close = async (): Promise<void> => {
    await running.close().finally(() => ops?.close());
    await metrics.close();
  };
  const onSignal = (): void => ops?.leave();
  const deadlineMs = graceMs(flags) + CLOSE_MS;
  await runUntilSignal(role, { log, onSignal, close, deadlineMs }, async () => {
    ops = await Ops.open({ flags, log, health, handlers });
    if (url) log.info({ event: 'metrics:served', url }, `metrics ${url}`);
    await running.ready();
    const names = loaders.map(({ name }) => name);
    const text = `${role} ready (pid ${process.pid}), loaders: ${names.join(', ')}`;
    log.info({ event: 'role:ready', pid: process.pid, loaders: names }, text);
  });
}

/** The options that every role shares; what is not given is left to the environment and the defaults. */
export function roleOptions(flags: RoleFlags): {
  redis?: RedisOption;
  namespace?: string;
  strict?: boolean;
} {
  const { redis, queueRedis, namespace, strict } = flags;
  if (queueRedis && !redis) {
    throw new InvalidOptionError(
      '--queue-redis',
      queueRedis,
      'needs --redis for the cache beside it',
    );
  }
  return {
    ...(redis && { redis: queueRedis ? { cache: redis, queue: queueRedis } : redis }),
    ...(namespace && { namespace }),
    ...(strict && { strict }),
  };
}

function graceMs({ grace }: RoleFlags): number {
  return grace === undefined ? DEFAULTS.graceMs : parseDuration(grace as Duration, 'grace');
}

function workerOptions({ concurrency, grace }: RoleFlags): { concurrency?: number; grace?: never } {
  return {
    ...(concurrency !== undefined && { concurrency }),
    // Checked by createWorker, like every duration.
    ...(grace !== undefined && { grace: grace as never }),
  };
}

/** Flags of a process that is configured by its environment alone (containers). */
export function flagsFromEnvironment(): RoleFlags {
  const { EVERWARM_LOADERS, EVERWARM_NAMESPACE } = process.env;
  const { EVERWARM_LOG_LEVEL, EVERWARM_LOG_FORMAT } = process.env;
  const { EVERWARM_HEALTH_HOST, EVERWARM_METRICS_HOST } = process.env;
  return {
    loaders: EVERWARM_LOADERS ?? 'loaders.js',
    namespace: EVERWARM_NAMESPACE,
    strict: yesFrom('EVERWARM_STRICT'),
    shadow: yesFrom('EVERWARM_SHADOW'),
    logLevel: EVERWARM_LOG_LEVEL,
    logFormat: EVERWARM_LOG_FORMAT,
    healthPort: portFrom('EVERWARM_HEALTH_PORT'),
    healthHost: EVERWARM_HEALTH_HOST,
    metricsPort: portFrom('EVERWARM_METRICS_PORT'),
    metricsHost: EVERWARM_METRICS_HOST,
    traces: yesFrom('EVERWARM_TRACES'),
  };
}

/** Empty is as good as unset, as where a template has no value for it. */
function yesFrom(variable: string): boolean {
  const text = process.env[variable] ?? '';
  if (text === '' || text === '0' || text === 'false') return false;
  if (text === '1' || text === 'true') return true;
  throw new InvalidOptionError(variable, text, 'must be 1 or 0');
}

function portFrom(variable: string): number | undefined {
  const text = process.env[variable] ?? '';
  if (text === '') return undefined;
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidOptionError(variable, text, 'must be a port, from 0 to 65535');
}
