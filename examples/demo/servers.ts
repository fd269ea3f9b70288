import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import type { Teardown } from './teardown.ts';

export interface RedisPlace {
  readonly redisUrl: string;
  readonly namespace: string;
  /** Rejects when an embedded server ends by itself. */
  readonly lost: Promise<never>;
}

/**
 * A Redis server for one side alone; `REDIS_URL`, if set, for both. The namespace is new in each run,
 * so that no run meets the warm entries of an earlier one.
 */
export async function openRedis(side: string, teardown: Teardown): Promise<RedisPlace> {
  const namespace = `demo-${side}-${randomBytes(4).toString('hex')}`;
  const shared = process.env.REDIS_URL;
  if (shared) {
    await checkReachable(shared);
    teardown.defer(() => removeNamespace(shared, namespace));
    return { redisUrl: shared, namespace, lost: new Promise(() => {}) };
  }
  const server = await startEmbeddedRedis();
  teardown.defer(() => server.close());
  const lost = server.exited.then(() => {
    throw new Error(`the Redis server of the ${side} side (pid ${server.pid}) ended`);
  });
  lost.catch(() => {}); // whoever races it sees it; at another time it is our own teardown
  return { redisUrl: server.url, namespace, lost };
}

async function checkReachable(url: string): Promise<void> {
  const redis = connect(url);
  let cause: unknown;
  redis.on('error', (error) => {
    cause = error;
  });
  try {
    await redis.ping();
  } catch (error) {
    const where = url.replace(/\/\/[^@/]*@/, '//***@');
    const rule = 'must name a Redis server that can be reached';
    throw new Error(`REDIS_URL (${where}) ${rule}: ${cause ?? error}`);
  } finally {
    redis.disconnect();
  }
}

/** Somebody else's server is left as it was found. */
async function removeNamespace(url: string, namespace: string): Promise<void> {
  const redis = connect(url);
  try {
    for await (const keys of redis.scanStream({ match: `*${namespace}:*`, count: 1_000 })) {
      if (keys.length > 0) await redis.unlink(...keys);
    }
  } finally {
    redis.disconnect();
  }
}

function connect(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => {}); // the command that failed tells it
  return redis;
}
