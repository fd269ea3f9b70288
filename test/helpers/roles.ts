import { onTestFinished } from 'vitest';
import {
  type Cache,
  createScheduler,
  createWorker,
  type RefreshWorkers,
  type Scheduler,
} from '../../src/index.ts';
import { openCache } from './cache.ts';
import { redisUrl } from './redis.ts';

type RoleOptions = Parameters<typeof createScheduler>[0] & Parameters<typeof createWorker>[0];

export interface Refreshers {
  readonly worker: RefreshWorkers;
  readonly scheduler: Scheduler;
}

/** A worker and a scheduler, on the shared server unless told otherwise, ready; closed with the test. */
export async function startRefreshers(
  options: RoleOptions & { readonly namespace: string },
): Promise<Refreshers> {
  const all = { redis: redisUrl(), ...options };
  const worker = createWorker(all);
  const scheduler = createScheduler(all);
  onTestFinished(async () => {
    await Promise.all([scheduler.close(), worker.close()]);
  });
  await Promise.all([worker.ready(), scheduler.ready()]);
  return { worker, scheduler };
}

/** All three roles. */
export async function startRoles(
  options: RoleOptions & { readonly namespace: string },
): Promise<Refreshers & { readonly cache: Cache }> {
  const cache = await openCache(options);
  return { cache, ...(await startRefreshers(options)) };
}
