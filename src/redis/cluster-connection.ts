import { Cluster, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { ClusterTarget } from '../config/cluster-target.ts';
import { isCluster, ownersOf, type RedisClient } from './redis-client.ts';

const REFRESH_MS = 5_000;
/** A dead master is looked for again so often, until a replica has taken its place. */
const REFRESH_SOON_MS = 500;
/** What changes on several nodes at once is told once. */
const SETTLE_MS = 100;

/**
 * A redirected command was not carried out, so it may be sent again; but a handful of times, so that
 * it is over before its caller gives up on it (TRYAGAIN costs 100 ms a time).
 */
const MAX_REDIRECTIONS = 6;

/** What a cluster's connection for data does not leave to anybody's options. */
export const CLUSTER_DATA: ClusterOptions = {
  enableOfflineQueue: false,
  maxRedirections: MAX_REDIRECTIONS,
  // A command whose connection broke may have been carried out: it is not sent again.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
};

/** For the connection to each node: what the target's options may change, and what they may not. */
export interface NodeConnection {
  readonly byDefault: RedisOptions;
  readonly own: RedisOptions;
}

/** Opens a cluster; `own` wins over the target's options. */
export function openCluster(
  target: ClusterTarget,
  node: NodeConnection,
  own: ClusterOptions,
): Cluster {
  const { redisOptions, ...options } = target.options ?? {};
  const shared = sharedByUrl(target);
  const tls = redisOptions?.tls ?? shared.tls;
  return new Cluster([...target.cluster], {
    // A certificate names hosts: their addresses would not match it.
    ...(tls ? { dnsLookup: (host, found) => found(null, host) } : {}),
    ...options,
    ...own,
    scaleReads: 'master',
    // Its timer outlives a client that is closed while a refresh runs; keepMapped() looks instead.
    slotsRefreshInterval: 0,
    redisOptions: {
      ...node.byDefault,
      ...shared,
      ...redisOptions,
      ...node.own,
      replyMapping: 'legacy',
    },
  });
}

/** Nodes found later are opened as the URLs of the first ones say. */
function sharedByUrl(target: ClusterTarget): RedisOptions {
  const text = target.cluster.find((node) => typeof node === 'string');
  if (text === undefined) return {};
  const { protocol, username, password } = new URL(text);
  return {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * Keeps a cluster's map of slots true and its masters connected. ioredis looks at the map when a command
 * is sent to the wrong node, and connects a node when a first command waits for it: too late for data,
 * where commands do not wait.
 */
export function keepMapped(cluster: Cluster): void {
  const refresh = (): void => {
    if (cluster.status !== 'ready') return;
    cluster.refreshSlotsCache((error) => {
      if (!error || cluster.status !== 'ready') return;
      const nodes = cluster.nodes();
      // No known node is left: begin again with those of the options. One that is slow to answer is there.
      if (nodes.length > 0 && nodes.every(({ status }) => status !== 'ready')) {
        cluster.disconnect(true);
      }
    });
  };
  const timer = setInterval(refresh, REFRESH_MS).unref();
  let soon: NodeJS.Timeout | undefined;
  cluster.on('-node', () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      refresh();
    }, REFRESH_SOON_MS).unref();
  });
  const connect = (): void => {
    // Not earlier: the question whether a cluster is ready only goes to a node that is not connecting.
    if (cluster.status !== 'ready') return;
    for (const node of cluster.nodes('master')) {
      if (node.status === 'wait') node.connect().catch(() => undefined);
    }
  };
  cluster.on('ready', connect).on('refresh', connect);
  cluster.on('end', () => {
    clearInterval(timer);
    clearTimeout(soon);
  });
}

/**
 * Calls back whenever the server may be another than before, or may have lost what it held: it is
 * connected anew, or a replica has become a master.
 */
export function onServerChange(client: RedisClient, listener: () => void): void {
  if (!isCluster(client)) {
    client.on('ready', listener);
    return;
  }
  let isSoon = false;
  const soon = (): void => {
    if (isSoon) return;
    isSoon = true;
    setTimeout(() => {
      isSoon = false;
      if (client.status === 'ready') listener();
    }, SETTLE_MS).unref();
  };
  let owners = '';
  client.on('refresh', () => {
    const now = ownersOf(client).sort().join();
    if (now !== owners) soon();
    owners = now;
  });
  client.on('+node', (node) => {
    node.on('ready', soon);
  });
}
