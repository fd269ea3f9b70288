import type { Redis } from 'ioredis';

/** One server, found by Sentinel or not. */
export type RedisClient = Redis;

/** The servers that hold keys. */
export function mastersOf(client: RedisClient): Redis[] {
  return [client];
}
