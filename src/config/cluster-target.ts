import type { ClusterOptions } from 'ioredis';
import { InvalidOptionError } from '../core/errors.ts';

/** A node of a cluster: a URL (`redis://`, `rediss://`), or its host and port (default 6379). */
export type ClusterNode = string | { readonly host: string; readonly port?: number };

/** A Redis Cluster. */
export interface ClusterTarget {
  /** Some of its nodes; the others are found through them. User, password and TLS of a URL count for all. */
  readonly cluster: readonly ClusterNode[];
  /** More options of ioredis; what each node's connection needs stands in `redisOptions`. */
  readonly options?: ClusterOptions;
}

/** @throws InvalidOptionError naming the part of the description and the rule it breaks */
export function checkCluster(target: object, path: string): ClusterTarget {
  const { cluster, options, ...rest } = target as Partial<ClusterTarget>;
  const [stranger] = Object.keys(rest);
  if (stranger !== undefined) {
    const rule = `is not part of a cluster's description, which has \`cluster\` and \`options\`: what each node's connection needs goes into \`options.redisOptions\``;
    throw new InvalidOptionError(`${path}.${stranger}`, '***', rule);
  }
  if (!Array.isArray(cluster) || cluster.length === 0) {
    const rule = 'must be an array of at least one node: a URL or { host, port }';
    throw new InvalidOptionError(`${path}.cluster`, cluster, rule);
  }
  const nodes = cluster.map((node, at) => checkNode(node, `${path}.cluster[${at}]`));
  checkAgreement(nodes, `${path}.cluster`);
  return { cluster: nodes, options: checkOptions(options, `${path}.options`) };
}

/** Host and port of a node, no credentials. */
export function printNode(node: ClusterNode): string {
  if (typeof node === 'string') return `${new URL(node).hostname}:${new URL(node).port || 6379}`;
  return `${node.host}:${node.port ?? 6379}`;
}

function checkNode(node: unknown, path: string): ClusterNode {
  if (typeof node === 'string') return checkUrl(node, path);
  const { host, port, ...rest } = (node ?? {}) as { host?: unknown; port?: unknown };
  const isPort = port === undefined || (Number.isInteger(port) && Number(port) > 0);
  if (typeof host !== 'string' || host === '' || !isPort || Object.keys(rest).length > 0) {
    const rule = 'must be a redis:// or rediss:// URL, or { host, port } and no more';
    throw new InvalidOptionError(path, node, rule);
  }
  return port === undefined ? { host } : { host, port: Number(port) };
}

function checkUrl(node: string, path: string): string {
  const url = URL.canParse(node) ? new URL(node) : null;
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    const rule = 'must be a redis:// or rediss:// URL with a host';
    throw new InvalidOptionError(path, node.replace(/\/\/[^@/]*@/, '//***@'), rule);
  }
  if (!/^\/?0?$/.test(url.pathname)) {
    throw new InvalidOptionError(path, url.pathname, 'must name no database: a cluster has only 0');
  }
  if (url.search !== '') {
    const rule = 'must have no query: options of connections go into `options.redisOptions`';
    throw new InvalidOptionError(path, url.search, rule);
  }
  return node;
}

// The nodes found through these are opened like them.
function checkAgreement(nodes: readonly ClusterNode[], path: string): void {
  const urls = nodes.filter((node) => typeof node === 'string').map((node) => new URL(node));
  const ways = urls.map(({ protocol, username, password }) =>
    [protocol, username, password].join(),
  );
  if (new Set(ways).size <= 1) return;
  const rule = 'must agree on redis:// or rediss://, user and password: all nodes are opened alike';
  throw new InvalidOptionError(path, nodes.map(printNode).join(', '), rule);
}

function checkOptions(options: unknown, path: string): ClusterOptions {
  if (options === undefined) return {};
  if (!isPlain(options)) {
    throw new InvalidOptionError(path, options, "must be options of ioredis's Cluster");
  }
  const {
    scaleReads,
    redisOptions = {},
    keyPrefix,
  } = options as ClusterOptions & {
    keyPrefix?: string;
  };
  if (scaleReads !== undefined && scaleReads !== 'master') {
    const rule = "must be 'master': a replica may not have yet what was just written";
    throw new InvalidOptionError(`${path}.scaleReads`, scaleReads, rule);
  }
  if (!isPlain(redisOptions)) {
    throw new InvalidOptionError(`${path}.redisOptions`, redisOptions, 'must be ioredis options');
  }
  const { keyPrefix: innerPrefix, db = 0 } = redisOptions;
  const prefix = keyPrefix ?? innerPrefix;
  if (prefix !== undefined) {
    const where = `${path}.${keyPrefix === undefined ? 'redisOptions.' : ''}keyPrefix`;
    throw new InvalidOptionError(where, prefix, 'is not supported: use `namespace`');
  }
  if (db !== 0) {
    const rule = 'must be 0: a cluster has no other database';
    throw new InvalidOptionError(`${path}.redisOptions.db`, db, rule);
  }
  return { ...options, redisOptions: { ...redisOptions } };
}

function isPlain(value: unknown): value is object {
  return (
    value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  );
}
