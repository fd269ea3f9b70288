// Reads a price a hundred times a second until it has seen three versions of it that the worker computed.
import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from 'everwarm';
import { price } from './loaders.js';

const cache = createCache({ loaders: [price] });
await cache.ready();
let waits = 0;
cache.on('entry:missed', () => waits++);

const versions = new Set<number>();
while (versions.size < 3) {
  const { computedAt, computedBy } = await cache.get(price, 'sku-42');
  if (computedBy !== process.pid) versions.add(computedAt.getTime());
  await sleep(10);
}
console.log(`versions by the worker: ${versions.size}, reads that waited: ${waits}`);
await cache.close();
