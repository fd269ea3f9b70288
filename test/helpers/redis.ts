import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import './redis-global-setup.ts';

/** The server that all tests of a project share: keep to a namespace, and never flush it. */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** A connection for the running test, closed when it ends. Call it in a test or in `beforeEach`. */
export function connect(url: string = redisUrl()): Redis {
  const redis = new Redis(url);
  onTestFinished(() => disconnected(redis));
  return redis;
}

/** A namespace that no other test uses. */
export function uniqueNamespace(): string {
  return `test-${randomUUID()}`;
}

function disconnected(redis: Redis): Promise<void> {
  // ioredis 6: disconnect() between two attempts to connect only stops the timer, no 'end' follows.
  const endFollows = redis.status !== 'end' && redis.status !== 'reconnecting';
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  redis.disconnect();
  return endFollows ? ended : Promise.resolve();
}
