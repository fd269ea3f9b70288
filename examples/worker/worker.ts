// Computes what schedulers find due. As many as you like; `everwarm worker --loaders loaders.mjs` does the same.
import { createWorker } from 'everwarm';
import { price } from './loaders.js';

const worker = createWorker({ loaders: [price], concurrency: 10 });
worker.on('refresh:failed', ({ loader, key, error }) => console.error(`${loader} ${key}:`, error));
await worker.ready();
console.log('worker ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => worker.close());
