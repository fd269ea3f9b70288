import {
  createScheduler,
  createWorker,
  type RefreshWorkers,
  type Scheduler,
} from '../src/index.ts';
import { serveParent } from './child.ts';
import { item } from './item-loader.ts';

let worker: RefreshWorkers | null = null;
let scheduler: Scheduler | null = null;

serveParent({
  async start({ redisUrl, namespace }) {
    const common = { redis: redisUrl, namespace, loaders: [item] };
    worker = createWorker(common);
    scheduler = createScheduler(common);
    await Promise.all([worker.ready(), scheduler.ready()]);
  },
  read: () => ({ count: 0, atMs: performance.now() }),
  async stop() {
    await scheduler?.close();
    await worker?.close();
  },
});
