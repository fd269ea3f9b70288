import { setTimeout as sleep } from 'node:timers/promises';
import { defineLoader, type Loader } from 'everwarm';

export interface Product {
  readonly id: string;
  readonly cents: number;
}

export const product: Loader<string, Product> = defineLoader({
  name: 'product',
  ttl: '5m',
  load: async (id: string) => {
    await sleep(50); // your slow query
    return { id, cents: 4_200 };
  },
});
