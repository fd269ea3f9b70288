import { expect, onTestFinished, test } from 'vitest';
import { createScheduler, createWorker, defineLoader } from '../../src/index.ts';
import { gate, ownServer } from '../helpers/cache.ts';
import { uniqueNamespace } from '../helpers/redis.ts';
import { startRoles } from '../helpers/roles.ts';

test('a worker whose loader call hangs is ready, as it goes on asking for jobs', async () => {
  const called = gate();
  const item = defineLoader({
    name: 'item',
    ttl: '1s',
    loadTimeout: '1h',
    load: async (_key: string, { reason, signal }) => {
      if (reason !== 'refresh') return 'first';
      called.open();
      return new Promise<string>((_, reject) => signal.addEventListener('abort', reject));
    },
  });
  const roles = { namespace: uniqueNamespace(), loaders: [item], grace: 0 };
  const { cache, worker, scheduler } = await startRoles(roles);
  const reading = setInterval(() => void cache.get(item, 'hot').catch(() => undefined), 20);
  await called.opened;
  clearInterval(reading);

  await expect.poll(() => worker.health()).toEqual({ isReady: true, reasons: [] });
  await expect.poll(() => scheduler.health()).toEqual({ isReady: true, reasons: [] });
});

test('roles are not ready before they have started, nor from close() on', async () => {
  const loaders = [defineLoader({ name: 'item', ttl: '1m', load: (key: string) => key })];
  const options = { redis: 'redis://127.0.0.1:1', namespace: uniqueNamespace(), loaders };
  for (const role of [createWorker(options), createScheduler(options)]) {
    expect((await role.health()).reasons).toEqual(['it has not started yet']);
    const closed = role.close();
    expect((await role.health()).reasons).toEqual(['it is closing']);
    await closed;
  }
});

test('a worker without jobs closes within seconds while its server is away, whatever its grace', async () => {
  const server = await ownServer();
  const loaders = [defineLoader({ name: 'item', ttl: '1m', load: (key: string) => key })];
  const worker = createWorker({ redis: server.url, loaders, grace: '1h' });
  onTestFinished(() => worker.close());
  await worker.ready();
  await expect.poll(() => worker.health()).toEqual({ isReady: true, reasons: [] });
  await server.close();
  await worker.close();
});
