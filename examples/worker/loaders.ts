// What can be computed. The three programs beside it import it, so that each can compute any key.
import { setTimeout as sleep } from 'node:timers/promises';
import { defineLoader, type Loader } from 'everwarm';

export interface Price {
  readonly id: string;
  readonly cents: number;
  readonly computedAt: Date;
  readonly computedBy: number;
}

export const price: Loader<string, Price> = defineLoader({
  name: 'price',
  ttl: '1s', // so short only for you to see it at work
  load: async (id: string) => {
    await sleep(50); // your slow query
    return { id, cents: 4_200, computedAt: new Date(), computedBy: process.pid };
  },
});
