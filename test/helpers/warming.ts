import { onTestFinished } from 'vitest';
import { processClock } from '../../src/core/clock.ts';
import { Events } from '../../src/core/events.ts';
import { createWorker, type RefreshWorkers } from '../../src/index.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { Keys } from '../../src/redis/keys.ts';
import { type WarmRequest, WarmRun, type WarmRunParts } from '../../src/warm/warm-run.ts';
import { connect, redisUrl } from './redis.ts';

/** A warmer on the shared server. */
export function openWarmer(
  namespace: string,
  more: Partial<WarmRunParts> = {},
): { readonly run: WarmRun; readonly events: Events } {
  const redis = connect();
  const events = new Events();
  const store = new EntryStore(redis);
  const parts = { keys: new Keys(namespace), store, queue: redis, clock: processClock, events };
  return { run: new WarmRun({ ...parts, ...more }), events };
}

/** A request with nothing asked for but its keys. */
export function warmRequest(
  loader: AnyLoader,
  keys: WarmRequest['keys'],
  more: Partial<WarmRequest> = {},
): WarmRequest {
  return {
    runId: 'run',
    loader,
    keys,
    skip: 0,
    freshUntilMs: null,
    untilMs: null,
    spreadOverMs: 0,
    priority: null,
    total: null,
    ...more,
  };
}

export async function openWorker(
  namespace: string,
  loaders: readonly AnyLoader[],
  more: Partial<Parameters<typeof createWorker>[0]> = {},
): Promise<RefreshWorkers> {
  const worker = createWorker({ redis: redisUrl(), namespace, loaders, ...more });
  onTestFinished(() => worker.close());
  await worker.ready();
  return worker;
}

/** The texts of the numbers from 0 on. */
export function numberTexts(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(at));
}
