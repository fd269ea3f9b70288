import { createWorker, type RefreshWorkers } from '../src/index.ts';
import { serveParent } from './child.ts';
import { hot } from './hot-loader.ts';

let worker: RefreshWorkers | null = null;
let landed = 0;

serveParent({
  async start({ redisUrl, namespace }) {
    landed = 0;
    worker = createWorker({ redis: redisUrl, namespace, loaders: [hot] });
    worker.on('refresh:completed', () => {
      landed++;
    });
    await worker.ready();
  },
  read: () => ({ count: landed, atMs: performance.now() }),
  stop: async () => worker?.close(),
});
