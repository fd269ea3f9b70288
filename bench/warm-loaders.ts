import { setTimeout as delay } from 'node:timers/promises';
import { defineLoader, type Loader } from '../src/index.ts';

interface Thing {
  id: number;
  name: string;
}

const thing = (id: number): Thing => ({ id, name: `thing ${id}` });

/** How long a call takes, of one key or of many. 0: values are there at once, so that the warming is measured. */
const CALL_MS = Number(process.env.EVERWARM_BENCH_CALL_MS ?? 0);
const called = (): Promise<unknown> | undefined => (CALL_MS > 0 ? delay(CALL_MS) : undefined);

export const one: Loader<number, Thing> = defineLoader({
  name: 'one',
  ttl: '1h',
  load: async (id: number) => {
    await called();
    return thing(id);
  },
});

export const many: Loader<number, Thing> = defineLoader({
  name: 'many',
  ttl: '1h',
  load: thing,
  loadMany: async (ids: readonly number[]) => {
    await called();
    return ids.map(thing);
  },
});
