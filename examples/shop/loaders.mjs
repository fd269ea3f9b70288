// What can be computed. In production a worker of its own imports this file: `everwarm worker --loaders loaders.mjs`.
import { defineLoader } from 'everwarm';
import { database, fetchRate } from './origin.mjs';

export const product = defineLoader({
  name: 'product',
  ttl: '2s',
  staleWhileRevalidate: '10s', // serve what has expired, or was invalidated softly, while it is loaded anew
  notFoundTtl: '1s', // remember that there is no such product
  memory: { maxEntries: 1_000, ttl: '500ms' }, // hot ones without a round trip
  tags: (id) => [`product:${id}`, 'shop:eu'],
  load: async (id) => (await database.products([id]))[0],
  loadMany: (ids) => database.products(ids),
});

export const rate = defineLoader({
  name: 'rate',
  ttl: '1h',
  limit: { max: 2, per: '1s' }, // their limit, kept by all our processes together
  load: (currency) => fetchRate(currency),
});
