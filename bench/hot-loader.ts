import { defineLoader, type Loader } from '../src/index.ts';

/** A loader that has its value at once: what is measured is the refreshing, not the loading. */
export const hot: Loader<number, { id: number; name: string }> = defineLoader({
  name: 'hot',
  ttl: '60s',
  load: (id: number) => ({ id, name: `thing ${id}` }),
});
