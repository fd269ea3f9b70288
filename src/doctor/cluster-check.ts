import { withinTimeout } from '../redis/connection.ts';
import type { Keys, NamedLoader } from '../redis/keys.ts';
import { isCluster, nodeOf } from '../redis/redis-client.ts';
import { type Check, failure, fine } from './check.ts';
import type { LookedAt } from './server-checks.ts';

const SLOTS = 16_384;

/** Whether a role's cluster serves every slot, and whether a single server is one; null: nothing to check. */
export async function clusterCheck(
  { role, client, where, masters }: LookedAt,
  { keys, loaders }: { readonly keys: Keys; readonly loaders: readonly NamedLoader[] },
): Promise<Check | null> {
  const name = `${role} cluster`;
  const [first] = masters;
  if (!first) return null;
  if (!isCluster(client)) {
    if (first.facts.redis_mode !== 'cluster') return null;
    const message = `${where} is a node of a Redis Cluster, but is used as a single server`;
    return failure(name, message, 'give `redis: { cluster: [{ host, port }] }` in the options');
  }
  const asked = first.redis.cluster('INFO') as Promise<string>;
  const info = String(await withinTimeout(asked, `asking ${where}`));
  const state = field(info, 'cluster_state');
  const served = Number(field(info, 'cluster_slots_ok') ?? 0);
  if (state !== 'ok' || served < SLOTS) {
    const message = `${where} is in state ${state}: ${served} of ${SLOTS} slots are served`;
    return failure(name, message, 'bring the missing masters back: redis-cli --cluster check, fix');
  }
  const all = `all ${SLOTS} slots are served by ${masters.length} masters`;
  if (role === 'cache') return fine(name, all);
  // A loader's queue and tracker keep to one slot each: more masters help only with more loaders.
  const queues = new Set(loaders.map((loader) => nodeOf(client, keys.queuePrefix(loader))));
  return fine(name, `${all}; the queues of ${loaders.length} loaders lie on ${queues.size}`);
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim();
}
