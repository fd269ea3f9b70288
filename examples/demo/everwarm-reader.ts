import { createCache } from '../../src/index.ts';
import { dns } from './loaders.ts';
import { runReader } from './reader-process.ts';
import { settingsFromEnv } from './settings.ts';

const settings = settingsFromEnv();
const cache = createCache({
  redis: settings.redisUrl,
  namespace: settings.namespace,
  loaders: [dns],
});

await cache.ready();

// `loader`: this read waited for the origin, by its own load or somebody else's.
await runReader(
  settings,
  async (keyId) => (await cache.getWithMeta(dns, keyId)).source === 'loader',
);
await cache.close();
