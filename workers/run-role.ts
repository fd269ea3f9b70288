import type { RedisOption } from '../src/config/redis-option.ts';
import { InvalidOptionError } from '../src/core/errors.ts';
import { createScheduler } from '../src/create-scheduler.ts';
import { createWorker } from '../src/create-worker.ts';
import { type LoadersFile, loadLoaders } from './load-loaders.ts';
import { logEvents, logShadow, say } from './log.ts';
import { type MetricsFlags, serveMetrics } from './metrics-server.ts';
import { untilSignal } from './shutdown.ts';

export interface RoleFlags extends MetricsFlags {
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
  const { loaders, warmUps } = await loadersOf(flags);
  const served = await serveMetrics(flags);
  const metrics = served && { metrics: { registry: served.registry } };
  const options = { ...roleOptions(flags), ...metrics };
  const running =
    role === 'worker'
      ? createWorker({ ...options, ...workerOptions(flags), loaders })
      : createScheduler({ ...options, ...(flags.shadow && { mode: 'shadow' }), loaders, warmUps });
  logEvents(role, running);
  logShadow(role, running);
  // From now on: a signal may also come while it waits for its servers.
  const ended = untilSignal(role, () => running.close().finally(() => served?.close()));
  if (served) say(role, `metrics ${served.url}`);
  try {
    await running.ready();
  } catch (error) {
    await running.close();
    served?.close();
    throw error;
  }
  say(role, `ready (pid ${process.pid}), loaders: ${loaders.map(({ name }) => name).join(', ')}`);
  await ended;
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

function workerOptions({ concurrency, grace }: RoleFlags): { concurrency?: number; grace?: never } {
  return {
    ...(concurrency !== undefined && { concurrency }),
    // Checked by createWorker, like every duration.
    ...(grace !== undefined && { grace: grace as never }),
  };
}

/** Flags of a process that is configured by its environment alone (containers). */
export function flagsFromEnvironment(): RoleFlags {
  const { EVERWARM_LOADERS, EVERWARM_NAMESPACE, EVERWARM_STRICT, EVERWARM_SHADOW } = process.env;
  const { EVERWARM_METRICS_PORT, EVERWARM_METRICS_HOST } = process.env;
  return {
    loaders: EVERWARM_LOADERS ?? 'loaders.js',
    namespace: EVERWARM_NAMESPACE,
    strict: EVERWARM_STRICT === '1',
    shadow: EVERWARM_SHADOW === '1',
    metricsPort: EVERWARM_METRICS_PORT ? Number(EVERWARM_METRICS_PORT) : undefined,
    metricsHost: EVERWARM_METRICS_HOST,
  };
}
