// Keeps a plain BullMQ queue filled: one job a key, added a thousand at a time.
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { serveParent } from './child.ts';

const QUEUE = 'bare';
const CHUNK = 1_000;
const ENOUGH_WAITING = 5_000;
const PAUSE_MS = 10;

let producing: Promise<void> | null = null;
let isStopped = false;
let added = 0;

async function produce(queue: Queue): Promise<void> {
  while (!isStopped) {
    if ((await queue.getWaitingCount()) >= ENOUGH_WAITING) {
      await delay(PAUSE_MS);
      continue;
    }
    const keys = Array.from({ length: CHUNK }, () => String(added++));
    await queue.addBulk(
      keys.map((key) => ({ name: 'refresh', data: { key }, opts: { removeOnComplete: true } })),
    );
  }
  await queue.close();
}

serveParent({
  async start({ redisUrl, namespace }) {
    isStopped = false;
    added = 0;
    const queue = new Queue(QUEUE, { connection: { url: redisUrl }, prefix: namespace });
    await queue.waitUntilReady();
    producing = produce(queue);
  },
  read: () => ({ count: added, atMs: performance.now() }),
  async stop() {
    isStopped = true;
    await producing;
  },
});
