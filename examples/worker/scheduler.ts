// Finds the keys that are read often and expire soon. One is enough, two survive the loss of one;
// `everwarm scheduler --loaders loaders.mjs` does the same.
import { createScheduler } from 'everwarm';
import { price } from './loaders.js';

const scheduler = createScheduler({ loaders: [price] });
await scheduler.ready();
console.log('scheduler ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => scheduler.close());
