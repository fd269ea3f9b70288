// A loaders file as users write them.
import { defineLoader } from '../../src/loaders/define-loader.ts';
import { defineWarmUp } from '../../src/warm/define-warm-up.ts';

export const price = defineLoader({ name: 'price', ttl: '1m', load: async (id: string) => id });
const stock = defineLoader({ name: 'stock', ttl: '1m', load: async (id: string) => id });
const tax = defineLoader({ name: 'tax', ttl: '1m', load: async () => 1 });

const morning = defineWarmUp({
  name: 'morning',
  loader: price,
  schedule: '30 8 * * 1-5',
  timezone: 'Europe/Berlin',
  keys: ['apple'],
});

export const others = [stock, tax, price, morning];
export const port = 1;
