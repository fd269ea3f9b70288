import type { RedisOptions } from 'ioredis';
import { InvalidOptionError } from '../core/errors.ts';
import { type ClusterTarget, checkCluster, printNode } from './cluster-target.ts';
import { DEFAULTS } from './defaults.ts';

/** One server: a URL (`redis://`, `rediss://`) or ioredis options (with `sentinels`: found by Sentinel). */
export type ServerTarget = string | RedisOptions;

/** Where one role's data is: on a server, or on a Redis Cluster. */
export type RedisTarget = ServerTarget | ClusterTarget;

/** One server for both roles, or one for each: `cache` may evict, `queue` must not. */
export type RedisOption =
  | RedisTarget
  | { readonly cache: RedisTarget; readonly queue: RedisTarget };

export interface RedisTargets {
  readonly cache: RedisTarget;
  readonly queue: RedisTarget;
}

/** Default: the environment's `REDIS_URL` and `REDIS_QUEUE_URL`, else `redis://127.0.0.1:6379`. */
export function resolveRedis(option: RedisOption | undefined): RedisTargets {
  const chosen = option ?? fromEnvironment();
  // Either alone is a mistake: taken for ioredis options it would mean the local server.
  if (typeof chosen === 'object' && ('cache' in chosen || 'queue' in chosen)) {
    const { cache, queue } = chosen as Partial<RedisTargets>;
    return {
      cache: checkTarget(cache, 'redis.cache'),
      queue: checkTarget(queue, 'redis.queue'),
    };
  }
  const target = checkTarget(chosen, 'redis');
  return { cache: target, queue: target };
}

function fromEnvironment(): RedisOption {
  const { REDIS_URL: cache = DEFAULTS.redisUrl, REDIS_QUEUE_URL: queue } = process.env;
  return queue ? { cache, queue } : cache;
}

function checkTarget(target: unknown, path: string): RedisTarget {
  if (typeof target === 'string') {
    if (URL.canParse(target) && /^rediss?:$/.test(new URL(target).protocol)) {
      return withoutPrefix(target, path);
    }
    throw new InvalidOptionError(
      path,
      withoutPassword(target),
      'must be a redis:// or rediss:// URL',
    );
  }
  if (target === null || typeof target !== 'object' || Array.isArray(target)) {
    throw new InvalidOptionError(
      path,
      target,
      'must be a redis:// URL, ioredis options, { cluster }, or { cache, queue }',
    );
  }
  // A ready-made client spread into options would mean the local server.
  if (Object.getPrototypeOf(target) !== Object.prototype || 'url' in target) {
    const rule =
      'must be a redis:// URL or plain ioredis options: connections are opened by Everwarm';
    throw new InvalidOptionError(path, target, rule);
  }
  if ('cluster' in target) return checkCluster(target, path);
  if ('keyPrefix' in target) {
    throw new InvalidOptionError(
      `${path}.keyPrefix`,
      target.keyPrefix,
      'is not supported: use `namespace`',
    );
  }
  if ('sentinels' in target) checkSentinels(target as RedisOptions, path);
  return { ...target };
}

function checkSentinels({ sentinels, name, role = 'master' }: RedisOptions, path: string): void {
  if (!Array.isArray(sentinels) || sentinels.length === 0) {
    const rule = 'must be an array of at least one { host, port }';
    throw new InvalidOptionError(`${path}.sentinels`, sentinels, rule);
  }
  if (!name) {
    const rule = 'must be the name under which the sentinels watch the master';
    throw new InvalidOptionError(`${path}.name`, name, rule);
  }
  if (role !== 'master') {
    const rule = "must be 'master': a replica may not have yet what was just written";
    throw new InvalidOptionError(`${path}.role`, role, rule);
  }
}

function withoutPrefix(url: string, path: string): string {
  const prefix = new URL(url).searchParams.get('keyPrefix');
  if (prefix === null) return url;
  throw new InvalidOptionError(`${path}: keyPrefix`, prefix, 'is not supported: use `namespace`');
}

export function isClusterTarget(target: RedisTarget): target is ClusterTarget {
  return typeof target === 'object' && 'cluster' in target;
}

/** A target as it may stand in a message: host and port, no credentials. */
export function printTarget(target: RedisTarget): string {
  if (typeof target === 'string') return withoutPassword(target);
  if (isClusterTarget(target)) return `the cluster of ${target.cluster.map(printNode).join(', ')}`;
  if (target.sentinels) return `sentinel master "${target.name ?? 'mymaster'}"`;
  if (target.path) return target.path;
  return `redis://${target.host ?? '127.0.0.1'}:${target.port ?? 6379}`;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}
