import { defineLoader, type Loader } from '../src/index.ts';

interface Thing {
  id: number;
  name: string;
}

const thing = (id: number): Thing => ({ id, name: `thing ${id}` });

/** Both have their values at once: what is measured is the warming, not the loading. */
export const one: Loader<number, Thing> = defineLoader({ name: 'one', ttl: '1h', load: thing });

export const many: Loader<number, Thing> = defineLoader({
  name: 'many',
  ttl: '1h',
  load: thing,
  loadMany: async (ids: readonly number[]) => ids.map(thing),
});
