import { Queue } from 'bullmq';
import type { RedisClient } from '../redis/redis-client.ts';

/** A queue on a connection of ours, which reports its own errors. */
export function openJobQueue<Data, Result>(
  name: string,
  connection: RedisClient,
  prefix: string,
): Queue<Data, Result> {
  const queue = new Queue<Data, Result>(name, {
    connection,
    prefix,
    // Without it every call would wait for ever while Redis is away.
    skipWaitingForReady: true,
    // Its INFO, rejected while Redis is away, would fail every later call; server-check.ts asks anyway.
    skipVersionCheck: true,
  });
  queue.on('error', () => undefined);
  return queue;
}
