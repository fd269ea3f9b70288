import { createWorker, type RefreshWorkers } from '../src/index.ts';
import { serveParent } from './child.ts';
import { many, one } from './warm-loaders.ts';

let worker: RefreshWorkers | null = null;

serveParent({
  async start({ redisUrl, namespace }) {
    worker = createWorker({ redis: redisUrl, namespace, loaders: [one, many] });
    await worker.ready();
  },
  read: () => ({ count: 0, atMs: performance.now() }),
  stop: async () => worker?.close(),
});
