import { Queue } from 'bullmq';
import type { Tracing } from '../core/tracing.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { telemetryOf } from './job-telemetry.ts';

/** A queue on a connection of ours, which reports its own errors. */
export function openJobQueue<Data, Result>(
  name: string,
  connection: RedisClient,
  { prefix, tracing }: { readonly prefix: string; readonly tracing: Tracing | null },
): Queue<Data, Result> {
  const queue = new Queue<Data, Result>(name, {
    connection,
    prefix,
    ...telemetryOf(tracing),
    // Without it every call would wait for ever while Redis is away.
    skipWaitingForReady: true,
    // Its INFO, rejected while Redis is away, would fail every later call; server-check.ts asks anyway.
    skipVersionCheck: true,
  });
  queue.on('error', () => undefined);
  return queue;
}
