import { withinTimeout } from './connection.ts';
import type { RedisClient } from './redis-client.ts';

const ANSWER_MS = 1_000;

/** Asks a server for a sign of life, on a cluster any node of it; answers what is wrong, or null. */
export async function silence(redis: RedisClient, name: string): Promise<string | null> {
  try {
    await withinTimeout(redis.ping(), 'a sign of life', ANSWER_MS);
    return null;
  } catch {
    return `${name} Redis does not answer`;
  }
}
