// Holds the one place of an origin until it is killed.
import { createCache, defineLoader } from '../../src/index.ts';

const loader = defineLoader({
  name: 'held',
  ttl: '1m',
  origin: { concurrency: 1 },
  load: (_: string): Promise<string> => {
    process.stdout.write('holding\n');
    return new Promise(() => undefined);
  },
});
const cache = createCache({
  redis: process.env.EVERWARM_TEST_URL ?? '',
  namespace: process.env.EVERWARM_TEST_NAMESPACE ?? '',
  loaders: [loader],
});
await cache.get(loader, 'mine');
