// An application process with a cache whose metrics are scraped: reads ten keys all the time, and marks one
// of them stale now and then.
import { setTimeout as delay } from 'node:timers/promises';
import { createCache, type Loader } from '../../src/index.ts';
import { loadLoaders } from '../../workers/load-loaders.ts';
import { openRegistry, serveMetrics } from '../../workers/metrics-server.ts';

const [file = ''] = process.argv.slice(2);
const { loaders } = await loadLoaders(file);
const [loader] = loaders as unknown as readonly [Loader<string, string>];
const flags = { metricsPort: 0 };
const registry = await openRegistry(flags);
const served = registry && (await serveMetrics(flags, registry));
if (!served) throw new Error('no port was given');
const cache = createCache({
  redis: process.env.EVERWARM_TEST_URL ?? '',
  namespace: process.env.EVERWARM_TEST_NAMESPACE ?? '',
  loaders,
  metrics: { registry },
});
await cache.ready();
process.stdout.write(`metrics ${served.url}\nready\n`);
for (let round = 0; ; round++) {
  for (let key = 0; key < 10; key++) await cache.get(loader, `key ${key}`);
  if (round % 20 === 0) await cache.invalidate(loader, 'key 0', { soft: true });
  await delay(20);
}
