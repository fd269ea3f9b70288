import { mastersOf, type RedisClient } from './redis-client.ts';
import { readInfo } from './server-info.ts';

/** Keys that this server, or all masters of this cluster, have evicted since they started. */
export async function evictedKeys(client: RedisClient): Promise<number> {
  const stats = await Promise.all(mastersOf(client).map((master) => readInfo(master, 'stats')));
  return stats.reduce((sum, { evicted_keys }) => sum + Number(evicted_keys ?? 0), 0);
}
