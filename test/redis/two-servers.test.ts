import { expect, it, onTestFinished } from 'vitest';
import { defineLoader } from '../../src/index.ts';
import { nextEvent, ownServer } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';

it('keeps entries on the cache server, and tracker and jobs on the queue server', async () => {
  const cacheServer = await ownServer('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lfu');
  const queueServer = await ownServer();
  const loader = defineLoader({ name: 'item', ttl: 1_000, load: async (id: string) => `${id}!` });
  const options = {
    redis: { cache: cacheServer.url, queue: queueServer.url },
    namespace: uniqueNamespace(),
    loaders: [loader],
    strict: true,
  };
  const { cache, worker } = await startRoles(options);
  const refreshed = nextEvent(worker, 'refresh:completed');
  const reads = setInterval(() => void cache.get(loader, 'a'), 20);
  onTestFinished(() => clearInterval(reads));

  expect(await refreshed).toMatchObject({ loader: 'item', key: 'a' });

  const { namespace } = options;
  const cacheKeys = await connect(cacheServer.url).keys('*');
  const kept = cacheKeys.filter((key) => !key.endsWith(':lock')).sort();
  expect(kept).toEqual([`${namespace}:canary`, `${namespace}:{item@1:a}`]);
  const queueKeys = await connect(queueServer.url).keys('*');
  expect(queueKeys).toContain(`${namespace}:{item:t0of1}:heat:4000`);
  expect(queueKeys).toContain(`${namespace}:{item:t0of1}:due:4000`);
  expect(queueKeys).toContain(`{${namespace}:item}:item:meta`);
  expect(queueKeys.filter((key) => key.includes('item@1'))).toEqual([]);
});
