// Reads all menus once, and tells from where they came.
import { createCache } from 'everwarm';
import { menu } from './loaders.js';

const cache = createCache({ loaders: [menu] });
const sources = { memory: 0, redis: 0, loader: 0 };
for (let at = 1; at <= 300; at++) {
  const { source } = await cache.getWithMeta(menu, `restaurant-${at}`);
  sources[source]++;
}
console.log(`from Redis: ${sources.redis}, loaded while somebody waited: ${sources.loader}`);
await cache.close();
