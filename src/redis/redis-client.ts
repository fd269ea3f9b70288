import { Cluster, type Redis } from 'ioredis';
import { EverwarmError } from '../core/errors.ts';
import { hashSlot } from './hash-slot.ts';

/** One server (found by Sentinel or not), or a cluster of them. */
export type RedisClient = Redis | Cluster;

export function isCluster(client: RedisClient): client is Cluster {
  return client instanceof Cluster;
}

/**
 * The servers that hold keys: the client itself, or each master of a cluster.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE while a slot has no connected master: what has to reach all
 * keys must not leave some out
 */
export function mastersOf(client: RedisClient): Redis[] {
  if (!isCluster(client)) return [client];
  const owners = ownersOf(client);
  if (owners.length === 0) {
    throw new EverwarmError('REDIS_UNAVAILABLE', 'the masters of the Redis Cluster are not known');
  }
  return owners.map((owner) => connected(client, owner));
}

/**
 * The server of a key: '' for a single one; on a cluster the address of the master that owns the key's
 * slot, or '' while nobody knows that.
 */
export function nodeOf(client: RedisClient, key: string): string {
  return isCluster(client) ? (client.slots[hashSlot(key)]?.[0] ?? '') : '';
}

/** The addresses of all masters that own slots, in the order of their first slots. */
export function ownersOf(cluster: Cluster): string[] {
  const owners = new Set<string>();
  let last: readonly string[] | undefined;
  for (const nodes of cluster.slots) {
    if (nodes === last || !nodes?.[0]) continue;
    owners.add(nodes[0]);
    last = nodes;
  }
  return [...owners];
}

function connected(cluster: Cluster, address: string): Redis {
  const found = cluster.nodes('master').find((node) => addressOf(node) === address);
  if (found) return found;
  const message = `the master ${address} of the Redis Cluster is not connected`;
  throw new EverwarmError('REDIS_UNAVAILABLE', message);
}

/** Host and port of a server, as a cluster's slots name it. */
export function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
