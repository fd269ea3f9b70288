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

/**
 * The server of a slot; of any, where there is one server.
 *
 * @throws EverwarmError REDIS_UNAVAILABLE while the slot has no connected master
 */
export function serverOfSlot(client: RedisClient, slot: number): Redis {
  if (!isCluster(client)) return client;
  const owner = client.slots[slot]?.[0];
  if (owner) return connected(client, owner);
  throw new EverwarmError('REDIS_UNAVAILABLE', `the master of slot ${slot} is not known`);
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

/**
 * What is sent to this key's server in one turn of the event loop, from now on, goes out in one write:
 * a write costs more than a command.
 */
export function sendTogether(client: RedisClient, key: string): void {
  const stream = (isCluster(client) ? masterAt(client, nodeOf(client, key)) : client)?.stream;
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

function masterAt(cluster: Cluster, address: string): Redis | undefined {
  return cluster.nodes('master').find((node) => addressOf(node) === address);
}

function connected(cluster: Cluster, address: string): Redis {
  const found = masterAt(cluster, address);
  if (found) return found;
  const message = `the master ${address} of the Redis Cluster is not connected`;
  throw new EverwarmError('REDIS_UNAVAILABLE', message);
}

/** Host and port of a server, as a cluster's slots name it. */
export function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
