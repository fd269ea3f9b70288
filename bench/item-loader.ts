import { setTimeout as delay } from 'node:timers/promises';
import { defineLoader, type Loader } from '../src/index.ts';

export const LOAD_MS = 20;

/** As slow as a query. */
export const item: Loader<number, { id: number }> = defineLoader({
  name: 'item',
  ttl: '60s',
  load: async (id: number) => {
    await delay(LOAD_MS);
    return { id };
  },
});
