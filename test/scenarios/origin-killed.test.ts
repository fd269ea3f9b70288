import { createCache, defineLoader } from '../../src/index.ts';
import { printed, test } from '../helpers/system.ts';

test('the place of a killed process is free within seconds, and not before it is killed', async ({
  system,
  expect,
  onTestFinished,
}) => {
  const holder = system.run('test/processes/origin-holder.js');
  await printed(holder, /holding/);
  const loader = defineLoader({
    name: 'held',
    ttl: '1m',
    loadTimeout: '10s',
    origin: { concurrency: 1 },
    load: async (id: string) => id,
  });
  const { url: redis, namespace } = system;
  const cache = createCache({ redis, namespace, loaders: [loader] });
  onTestFinished(() => cache.close());
  let isLoaded = false;
  const read = cache.get(loader, 'other').then((value) => {
    isLoaded = true;
    return value;
  });
  await new Promise((resolve) => setTimeout(resolve, 4_000)); // longer than an unrenewed lease
  expect(isLoaded).toBe(false);

  process.kill(holder.pid, 'SIGKILL');

  expect(await read).toBe('other');
});
