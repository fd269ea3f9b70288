import { mastersOf, type RedisClient } from './redis-client.ts';

/** Keys that this server, or all masters of this cluster, have evicted since they started. */
export async function evictedKeys(client: RedisClient): Promise<number> {
  const stats = await Promise.all(mastersOf(client).map((master) => master.info('stats')));
  return stats.reduce((sum, text) => sum + Number(/evicted_keys:(\d+)/.exec(text)?.[1] ?? 0), 0);
}
