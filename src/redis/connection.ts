import { Redis, type RedisOptions } from 'ioredis';
import { DEFAULTS } from '../config/defaults.ts';
import { printTarget, type RedisTarget } from '../config/redis-option.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { Events } from '../core/events.ts';

export type RedisRole = 'cache' | 'queue';

export interface ConnectionUse {
  readonly role: RedisRole;
  /** Shown in CLIENT LIST. */
  readonly name: string;
  readonly events: Events;
}

const retryStrategy = (attempt: number): number => Math.min(50 * 2 ** attempt, 2_000);

/**
 * A connection for data: a command fails at once while the server is away, and one whose reply was
 * lost is never sent twice (an old `set` must not land on a newer one).
 */
export function openDataConnection(target: RedisTarget, use: ConnectionUse): Redis {
  return open(target, use, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: 5_000,
  });
}

/** A connection for BullMQ workers, which wait for their server for ever. */
export function openWorkerConnection(target: RedisTarget, use: ConnectionUse): Redis {
  // Longer than BullMQ's longest wait for a job, 10 s: a silent server is noticed, an empty queue is not.
  return open(target, use, { maxRetriesPerRequest: null, socketTimeout: 15_000 });
}

function open(target: RedisTarget, use: ConnectionUse, own: RedisOptions): Redis {
  const options = {
    retryStrategy,
    connectTimeout: 5_000,
    connectionName: `everwarm:${use.name}`,
    ...(typeof target === 'string' ? {} : target),
    ...own,
    // Replies in one shape, whatever the protocol.
    replyMapping: 'legacy' as const,
  };
  const redis = typeof target === 'string' ? new Redis(target, options) : new Redis(options);
  redis.on('error', (error: unknown) => {
    use.events.emit('redis:failed', { role: use.role, error });
  });
  return redis;
}

/**
 * Waits until the connection is usable.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE after `timeoutMs`, naming the server and the last error
 */
export async function untilReady(
  redis: Redis,
  target: RedisTarget,
  timeoutMs: number,
): Promise<void> {
  if (redis.status === 'ready') return;
  let lastError: unknown;
  await new Promise<void>((resolve, reject) => {
    const onError = (error: unknown): void => {
      lastError = error;
    };
    const finish = (settle: () => void): void => {
      clearTimeout(timeout);
      redis.off('ready', onReady).off('end', onEnd).off('error', onError);
      settle();
    };
    const onReady = (): void => finish(resolve);
    const fail = (what: string): void =>
      finish(() => {
        const reason = lastError ? `: ${messageOf(lastError)}` : '';
        const message = `Redis at ${printTarget(target)} ${what}${reason}`;
        reject(new EverwarmError('REDIS_UNAVAILABLE', message, { cause: lastError }));
      });
    const onEnd = (): void => fail('is closed');
    const timeout = setTimeout(() => fail(`did not answer within ${timeoutMs} ms`), timeoutMs);
    redis.on('ready', onReady).on('end', onEnd).on('error', onError);
  });
}

/** A reply within `timeoutMs`, or a rejection: then nobody knows whether the command was carried out. */
export async function withinTimeout<T>(
  reply: Promise<T>,
  what: string,
  timeoutMs: number = DEFAULTS.writeTimeoutMs,
): Promise<T> {
  let timeout: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => {
      const message = `${what}: Redis did not answer within ${timeoutMs} ms`;
      reject(new EverwarmError('REDIS_UNAVAILABLE', message));
    }, timeoutMs);
  });
  try {
    return await Promise.race([reply, expiry]);
  } finally {
    clearTimeout(timeout);
  }
}
