// A plain BullMQ worker that does nothing: what a queue costs with one job a key.
import { Worker } from 'bullmq';
import { serveParent } from './child.ts';

const QUEUE = 'bare';
const CONCURRENCY = 50;

let worker: Worker | null = null;
let finished = 0;

serveParent({
  async start({ redisUrl, namespace }) {
    finished = 0;
    worker = new Worker(QUEUE, async () => null, {
      connection: { url: redisUrl, maxRetriesPerRequest: null },
      prefix: namespace,
      concurrency: CONCURRENCY,
    });
    worker.on('completed', () => {
      finished++;
    });
    await worker.waitUntilReady();
  },
  read: () => ({ count: finished, atMs: performance.now() }),
  stop: async () => worker?.close(),
});
