import { onTestFinished } from 'vitest';
import { createWorker, type RefreshWorkers } from '../../src/index.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { type Refresh, RefreshQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import { connect, redisUrl } from './redis.ts';

/** A worker of one loader, and jobs for it as a scheduler enqueues them. */
export async function openRefreshing(
  namespace: string,
  loader: AnyLoader,
): Promise<{ worker: RefreshWorkers; refresh(key: string, createdAtMs: number): Promise<void> }> {
  const worker = createWorker({ redis: redisUrl(), namespace, loaders: [loader] });
  const queue = new RefreshQueue(connect(), new Keys(namespace), loader);
  onTestFinished(async () => {
    await worker.close();
    await queue.close();
  });
  await worker.ready();
  const refresh = (key: string, createdAtMs: number): Promise<void> => {
    const nowMs = Date.now();
    const job: Refresh = {
      key,
      seenCreatedAtMs: createdAtMs,
      logHeat: 1,
      unreadLives: 0,
      expiresAtMs: nowMs + 1_000,
      isAlone: false,
    };
    return queue.enqueue([job], { nowMs, deadlineAtMs: nowMs + 30_000 });
  };
  return { worker, refresh };
}
