import { describe, expect } from 'vitest';
import { compiled } from '../helpers/child.ts';
import { printed, test } from '../helpers/system.ts';

const MAIN = 'src/cli/main.js';
const library = JSON.stringify(compiled('src/index.js'));

/** A loader with every option there is, and a wrapped function, whose values say which process made them. */
const LOADERS = `
import { createCache, defineLoader } from ${library};
const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
export const full = defineLoader({
  name: 'full',
  ttl: () => '1s',
  nominalTtl: '1s',
  version: 3,
  load: () => process.pid,
  loadMany: async (params) => params.map(() => process.pid),
  loadTimeout: { soft: '1s', hard: '5s' },
  staleWhileRevalidate: 0,
  staleIfError: '10s',
  maxStaleness: '1m',
  notFoundTtl: '1s',
  emptyGuard: { share: 0.5, atLeast: 20 },
  tags: (id) => ['tag-of-' + id],
  memory: { maxEntries: 10, ttl: '50ms', clone: true },
  codec: 'json',
  compress: { algorithm: 'brotli', above: 0 },
  limit: { max: 100, per: '1s' },
  refresh: { threshold: 2, beta: 1, spread: 0.1, minLead: '100ms' },
  schema,
  validateOnRead: true,
});
export const cache = createCache({ loaders: [full], strict: true });
await cache.ready(); // fails the import if that is another server than the process was told
export const readPid = cache.wrap((name) => process.pid, { name: 'wrapped', ttl: '1s' });
export const wrapped = readPid.loader;
`;

/** Reads both until another process, the worker, has refreshed them. */
const READER = `
import { cache, full, readPid } from './loaders.mjs';
const isRefreshed = { full: false, wrapped: false };
while (!isRefreshed.full || !isRefreshed.wrapped) {
  isRefreshed.full ||= (await cache.get(full, 'x')) !== process.pid;
  isRefreshed.wrapped ||= (await readPid('x')) !== process.pid;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log('both are refreshed');
setInterval(() => {}, 60_000);
`;

describe('a loaders file with every option and a wrapped function', () => {
  test('is refreshed by everwarm dev, and seen on its dashboard', async ({ system }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const reader = await system.file('reader.mjs', READER);
    const args = ['dev', '--loaders', loaders, '--dashboard-port', '0', '--'];

    const dev = system.run(MAIN, [...args, process.execPath, reader]);
    await printed(dev, /both are refreshed/);
    const [, url] = /dashboard (http:\S+)/.exec(dev.output) ?? [];
    const answer = await fetch(`${url}/queues/api/queues?page=1&jobsPerPage=10`);
    const { queues } = (await answer.json()) as {
      queues: { name: string; counts: { completed: number } }[];
    };

    expect(queues.map(({ name }) => name).sort()).toEqual(['full', 'wrapped']);
    for (const { counts } of queues) expect(counts.completed).toBeGreaterThan(0);
    dev.signal('SIGTERM');
    expect(await dev.exited).toEqual({ code: 0, signal: null });
  });

  test('is taken by worker, scheduler and dashboard on the servers they are told', async ({
    system,
  }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const flags = ['--loaders', loaders, '--redis', system.url, '--namespace', system.namespace];
    const worker = system.run(MAIN, ['worker', ...flags]);
    const scheduler = system.run(MAIN, ['scheduler', ...flags]);
    const dashboard = system.run(MAIN, ['dashboard', ...flags, '--port', '0']);
    const env = { REDIS_URL: system.url, EVERWARM_NAMESPACE: system.namespace };
    const reader = system.run(await system.file('reader.mjs', READER), [], { env });

    await Promise.all([
      printed(worker, /ready .* loaders: full, wrapped/),
      printed(scheduler, /ready .* loaders: full, wrapped/),
      printed(dashboard, /dashboard http:/),
      printed(reader, /both are refreshed/),
    ]);

    for (const role of [worker, scheduler, dashboard]) role.signal('SIGTERM');
    for (const role of [worker, scheduler, dashboard]) {
      expect(await role.exited).toEqual({ code: 0, signal: null });
    }
  });
});
