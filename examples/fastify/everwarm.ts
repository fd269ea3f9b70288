// A plugin: opens the cache with the server, and closes it with the server.
import { type Cache, createCache } from 'everwarm';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    readonly cache: Cache;
  }
}

type Options = Parameters<typeof createCache>[0];

/** `fastify.cache`, for all routes. */
export async function everwarm(fastify: FastifyInstance, options: Options): Promise<void> {
  const cache = createCache(options);
  cache.on('redis:failed', ({ error }) => fastify.log.warn(error, 'cache'));
  fastify.decorate('cache', cache);
  fastify.addHook('onReady', () => cache.ready()); // waits for Redis, at most 5 s
  fastify.addHook('onClose', () => cache.close()); // when the last request is answered
}

// As the package fastify-plugin does: what is decorated is the server that registers this, not a child of it.
Object.assign(everwarm, { [Symbol.for('skip-override')]: true });
