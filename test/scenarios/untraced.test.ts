import { expect } from 'vitest';
import { compiled } from '../helpers/child.ts';
import { test } from '../helpers/system.ts';

/** All roles, without a tracer and then with one; prints whether OpenTelemetry is loaded. */
const PROGRAM = `
import { createRequire } from 'node:module';
import { createCache, createScheduler, createWorker, defineLoader } from ${JSON.stringify(compiled('src/index.js'))};
const { cache: required } = createRequire(import.meta.url);
const tell = (when) => {
  const isLoaded = Object.keys(required).some((file) => file.includes('@opentelemetry/api'));
  console.log(when + ': ' + (isLoaded ? 'loaded' : 'not loaded'));
};
const loaders = [defineLoader({ name: 'item', ttl: '1m', load: (id) => id })];
const start = async (metrics) => {
  const roles = [createCache, createScheduler, createWorker].map((create) => create({ loaders, ...metrics }));
  await Promise.all(roles.map((role) => role.ready()));
  await roles[0].get(loaders[0], 'a');
  await Promise.all(roles.map((role) => role.close()));
};
await start();
tell('without a tracer');
await start({ metrics: { tracer: { startSpan: () => {} } } });
tell('with one');
`;

test('OpenTelemetry is loaded for a tracer alone', async ({ system }) => {
  const program = await system.file('program.mjs', PROGRAM);
  const env = { REDIS_URL: system.url, EVERWARM_NAMESPACE: system.namespace };
  const child = system.run(program, [], { env });
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.output).toMatch(/without a tracer: not loaded\nwith one: loaded/);
});
