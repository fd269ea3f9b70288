import type { TestProject } from 'vitest/node';
import { startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/**
 * One Redis server of its own for each project of a run. A REDIS_URL of the environment is left alone:
 * tests wipe, pause and break their server.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEmbeddedRedis();
  project.provide('redisUrl', server.url);
  return () => server.close();
}
