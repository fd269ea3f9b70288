import { defineLoader, type Loader } from 'everwarm';
import { type Order, orderOf, type Sales, salesOf } from './database.js';

export const sales: Loader<string, Sales[]> = defineLoader({
  name: 'sales',
  ttl: '1m',
  tags: (shop: string) => [`shop:${shop}`],
  load: (shop: string) => salesOf(shop),
});

export const order: Loader<string, Order | undefined> = defineLoader({
  name: 'order',
  ttl: '1h',
  notFoundTtl: '5s', // an id that nobody has ordered does not reach the database each time
  load: (id: string) => orderOf(id),
});
