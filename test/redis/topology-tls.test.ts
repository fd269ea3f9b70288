import { expect, it, onTestFinished } from 'vitest';
import { createCache, defineLoader } from '../../src/index.ts';
import { nextEvent } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';
import { tlsServer } from '../helpers/tls.ts';

const item = defineLoader({ name: 'item', ttl: 1_000, load: async (id: string) => `${id}!` });

it('works over TLS with a certificate of its own authority, as a user of its own', async () => {
  const { server, port, ca } = await tlsServer();
  const admin = connect(server.url);
  await admin.call('ACL', 'SETUSER', 'everwarm', 'on', '>secret', '~*', '+@all');
  await admin.call('ACL', 'SETUSER', 'default', 'off');
  const redis = { host: 'localhost', port, tls: { ca }, username: 'everwarm', password: 'secret' };
  const options = { redis, namespace: uniqueNamespace(), loaders: [item], strict: true };
  const { cache, worker } = await startRoles(options);
  const refreshed = nextEvent(worker, 'refresh:completed');
  const reads = setInterval(() => void cache.get(item, 'a'), 20);
  onTestFinished(() => clearInterval(reads));

  expect(await refreshed).toMatchObject({ loader: 'item', key: 'a' });
});

it('refuses a certificate whose authority it was not told of, and names the reason', async () => {
  const { url } = await tlsServer();
  const cache = createCache({ redis: url, loaders: [item], strict: true });
  onTestFinished(() => cache.close());
  await expect(cache.ready()).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
    message: `Redis at ${url} did not answer within 5000 ms: self-signed certificate`,
  });
});
