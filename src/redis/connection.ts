import { Redis, type RedisOptions } from 'ioredis';
import { DEFAULTS } from '../config/defaults.ts';
import {
  isClusterTarget,
  printTarget,
  type RedisTarget,
  type ServerTarget,
} from '../config/redis-option.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import { startTimeLimit } from '../core/time-limit.ts';
import { CLUSTER_DATA, keepMapped, openCluster } from './cluster-connection.ts';
import { addressOf, isCluster, mastersOf, type RedisClient } from './redis-client.ts';

export type RedisRole = 'cache' | 'queue';

export interface ConnectionUse {
  readonly role: RedisRole;
  /** Shown in CLIENT LIST. */
  readonly name: string;
  readonly events: Events;
}

const retryStrategy = (attempt: number): number => Math.min(50 * 2 ** attempt, 2_000);

/** A master that has become a replica: the next connection finds the new one. Nothing is sent again. */
const reconnectOnError = ({ message }: Error): boolean => message.includes('READONLY ');

/**
 * A connection for data: a command fails at once while the server is away, and one whose reply was
 * lost is never sent twice (an old `set` must not land on a newer one).
 */
export function openDataConnection(target: RedisTarget, use: ConnectionUse): RedisClient {
  const own = {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: 5_000,
  };
  if (!isClusterTarget(target))
    return openServer(target, use, { ...own, enableOfflineQueue: false });
  const node = { byDefault: defaultsFor(use), own };
  const cluster = openCluster(target, node, {
    ...CLUSTER_DATA,
    clusterRetryStrategy: retryStrategy,
  });
  keepMapped(cluster);
  return watched(cluster, use);
}

/** A connection for BullMQ workers, which wait for their server for ever. */
export function openWorkerConnection(target: RedisTarget, use: ConnectionUse): RedisClient {
  // Longer than BullMQ's longest wait for a job, 10 s: a silent server is noticed, an empty queue is not.
  const own = { maxRetriesPerRequest: null, socketTimeout: 15_000 };
  if (!isClusterTarget(target)) return openServer(target, use, own);
  const node = { byDefault: defaultsFor(use), own };
  const cluster = openCluster(target, node, {
    clusterRetryStrategy: retryStrategy,
    // With a failed check, of a cluster that is down, ioredis connects anew, but leaves unsettled the
    // connect() that BullMQ's loop waits for.
    enableReadyCheck: false,
  });
  return watched(cluster, use);
}

/**
 * A connection that only listens, to the server or to any node of the cluster that `data` is connected to;
 * null while none is known. It does not connect again by itself: BusListener opens another.
 */
export function openBusConnection(
  target: RedisTarget,
  use: ConnectionUse,
  data: RedisClient,
): Redis | null {
  const own = {
    retryStrategy: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: 10_000,
  };
  if (!isClusterTarget(target)) return openServer(target, use, own) as Redis;
  if (!isCluster(data)) return null;
  const nodes = data.nodes();
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  if (!node) return null;
  const { connectionName } = defaultsFor(use);
  const redis = node.duplicate({ ...own, connectionName, lazyConnect: false });
  // A node that has left the cluster, or is cut off from it, goes on answering, but hears nothing.
  const leave = (gone: Redis): void => {
    if (addressOf(gone) === addressOf(node)) redis.disconnect();
  };
  data.on('-node', leave);
  redis.once('end', () => void data.off('-node', leave));
  return watched(redis, use) as Redis;
}

function openServer(
  target: ServerTarget,
  use: ConnectionUse,
  own: Omit<RedisOptions, 'retryStrategy'> & { readonly retryStrategy?: null },
): RedisClient {
  const options = {
    ...defaultsFor(use),
    retryStrategy,
    reconnectOnError,
    // A sentinel that hangs is passed over.
    sentinelCommandTimeout: 2_000,
    ...(typeof target === 'string' ? {} : target),
    ...own,
    // Replies in one shape, whatever the protocol.
    replyMapping: 'legacy' as const,
  };
  const redis = typeof target === 'string' ? new Redis(target, options) : new Redis(options);
  return watched(redis, use);
}

function defaultsFor({ name }: ConnectionUse): RedisOptions {
  return { connectTimeout: 5_000, connectionName: `everwarm:${name}` };
}

function watched(client: RedisClient, use: ConnectionUse): RedisClient {
  const report = (error: unknown): void => {
    use.events.emit('redis:failed', { role: use.role, error });
  };
  client.on('error', report);
  if (isCluster(client)) client.on('node error', report);
  return client;
}

/**
 * Waits until the connection is usable; on a cluster, to each of its masters.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE after `timeoutMs`, naming the server and the last error
 */
export async function untilReady(
  client: RedisClient,
  target: RedisTarget,
  timeoutMs: number,
): Promise<void> {
  let lastError: unknown;
  const onError = (error: unknown): void => {
    lastError = error;
  };
  const errors = isCluster(client) ? 'node error' : 'error';
  client.on(errors, onError);
  const fate = await settled(readyAll(client), timeoutMs);
  client.off(errors, onError);
  if (fate === 'ready') return;
  const what = fate === 'late' ? `did not answer within ${timeoutMs} ms` : 'is closed';
  const reason = lastError ? `: ${messageOf(lastError)}` : '';
  const message = `Redis at ${printTarget(target)} ${what}${reason}`;
  throw new EverwarmError('REDIS_UNAVAILABLE', message, { cause: lastError });
}

async function readyAll(client: RedisClient): Promise<void> {
  await readyOne(client);
  if (!isCluster(client)) return;
  await Promise.all(mastersOf(client).map(readyOne));
}

/** Rejects when the connection ends. */
async function readyOne(client: RedisClient): Promise<void> {
  if (client.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      client.off('ready', settle).off('end', settle);
      if (client.status === 'ready') resolve();
      else reject(new Error('the connection has ended'));
    };
    client.on('ready', settle).on('end', settle);
  });
}

async function settled(
  ready: Promise<void>,
  timeoutMs: number,
): Promise<'ready' | 'ended' | 'late'> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timeout = setTimeout(resolve, timeoutMs, 'late');
  });
  const over = ready.then(
    () => 'ready' as const,
    () => 'ended' as const,
  );
  const fate = await Promise.race([over, late]);
  clearTimeout(timeout);
  return fate;
}

/** A reply in time, or a rejection: then nobody knows whether the command was carried out. */
export async function withinTimeout<T>(
  reply: Promise<T>,
  what: string,
  timeoutMs: number = DEFAULTS.writeTimeoutMs,
): Promise<T> {
  let stop = (): void => undefined;
  const expiry = new Promise<never>((_, reject) => {
    stop = startTimeLimit(timeoutMs, () => {
      const message = `${what}: Redis did not answer within ${timeoutMs} ms`;
      reject(new EverwarmError('REDIS_UNAVAILABLE', message));
    });
  });
  try {
    return await Promise.race([reply, expiry]);
  } finally {
    stop();
  }
}
