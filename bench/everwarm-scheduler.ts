import { createScheduler, type Scheduler } from '../src/index.ts';
import { serveParent } from './child.ts';
import { hot } from './hot-loader.ts';

let scheduler: Scheduler | null = null;
let enqueued = 0;

serveParent({
  async start({ redisUrl, namespace }) {
    enqueued = 0;
    scheduler = createScheduler({ redis: redisUrl, namespace, loaders: [hot] });
    scheduler.on('tick:completed', (tick) => {
      enqueued += tick.enqueued;
    });
    await scheduler.ready();
  },
  read: () => ({ count: enqueued, atMs: performance.now() }),
  stop: async () => scheduler?.close(),
});
