import { expect, vi } from 'vitest';
import { type Child, compiled } from '../helpers/child.ts';
import { printed, type System, test } from '../helpers/system.ts';

const MAIN = 'src/cli/main.js';
/** PostgreSQL as WebAssembly computes for some seconds before it is there, on a busy machine for many. */
const PATIENCE_MS = 90_000;

/** Runs a program of an example; its roles meet in the test's namespace. */
function run(system: System, file: string, args: readonly string[] = []): Child {
  const env = { REDIS_URL: system.url, EVERWARM_NAMESPACE: system.namespace, PORT: '0' };
  return system.run(file, args, { env });
}

/** What a program prints until it ends, well. */
async function outputOf(child: Child): Promise<string> {
  expect(await child.exited, child.output).toEqual({ code: 0, signal: null });
  return child.output;
}

/** The address that a server says it listens on. */
async function addressOf(server: Child): Promise<string> {
  return vi.waitFor(
    () => {
      const [, address = ''] = /listening on (http:\S+)/.exec(server.output) ?? [];
      expect(address, server.output).not.toBe('');
      return address;
    },
    { timeout: PATIENCE_MS, interval: 20 },
  );
}

async function stops(server: Child): Promise<void> {
  server.signal('SIGTERM');
  expect(await server.exited, server.output).toEqual({ code: 0, signal: null });
}

/** `everwarm dev` with a program of the example. */
function dev(system: System, loaders: string, program: readonly string[]): Child {
  const args = ['dev', '--loaders', compiled(loaders), '--dashboard-port', '0', '--'];
  return run(system, MAIN, [...args, process.execPath, ...program]);
}

test('express-postgres: a report from the cache, a write through it, the new report', async ({
  system,
}) => {
  const server = run(system, 'examples/express-postgres/main.js');
  const address = await addressOf(server);
  const sales = async (): Promise<{ from: string | null; orders: number }> => {
    const response = await fetch(`${address}/shops/shop-1/sales`);
    const rows = (await response.json()) as { orders: number }[];
    const orders = rows.reduce((sum, row) => sum + row.orders, 0);
    return { from: response.headers.get('x-cache'), orders };
  };
  expect(await sales()).toMatchObject({ from: expect.stringMatching(/^loader/), orders: 3_000 });
  expect(await sales()).toEqual({ from: 'redis, fresh', orders: 3_000 });

  const placed = await fetch(`${address}/shops/shop-1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ product: 'sku-1', cents: 995 }),
  });
  expect(placed.status).toBe(201);
  const order = (await placed.json()) as { id: string };
  const read = await fetch(`${address}/orders/${order.id}`);
  expect(read.headers.get('x-cache')).toBe('redis');
  expect(await read.json()).toEqual(order);

  await expect.poll(sales).toEqual({ from: 'redis, fresh', orders: 3_001 });
  await stops(server);
}, 120_000);

test('fastify: a plugin whose cache opens and closes with the server', async ({ system }) => {
  const server = run(system, 'examples/fastify/main.js');
  const address = await addressOf(server);
  const read = async (): Promise<string | null> =>
    (await fetch(`${address}/forecasts/se/kiruna`)).headers.get('x-cache');

  expect([await read(), await read()]).toEqual(['loader', 'redis']);
  const dropped = await fetch(`${address}/forecasts/se`, { method: 'DELETE' });
  expect(await dropped.json()).toEqual({ invalidated: 1 });
  expect(await read()).toBe('loader');
  await stops(server);
});

test('nestjs: a module whose cache the services of an application read through', async ({
  system,
}) => {
  const server = run(system, 'examples/nestjs/main.js');
  const address = await addressOf(server);
  const read = async (): Promise<unknown> => (await fetch(`${address}/products/sku-1`)).json();

  expect(await read()).toMatchObject({ source: 'loader', value: { id: 'sku-1', cents: 4_200 } });
  expect(await read()).toMatchObject({ source: 'redis' });
  const dropped = await fetch(`${address}/products/sku-1/cached`, { method: 'DELETE' });
  expect(dropped.status).toBe(204);
  expect(await read()).toMatchObject({ source: 'loader' });
  server.signal('SIGTERM');
  // Nest ends a process by the signal it has got, once its hooks are through.
  expect(await server.exited).toEqual({ code: null, signal: 'SIGTERM' });
});

test('worker: the worker computes what the application reads', async ({ system }) => {
  const roles = ['worker', 'scheduler'].map((role) => run(system, `examples/worker/${role}.js`));
  await Promise.all(roles.map((role) => printed(role, /ready/)));

  const output = await outputOf(run(system, 'examples/worker/app.js'));

  expect(output).toMatch(/^versions by the worker: 3, reads that waited: \d+$/);
  await Promise.all(roles.map(stops));
});

test('warm-up: a plan that is run now leaves nobody to wait', async ({ system }) => {
  const loaders = 'examples/warm-up/loaders.js';
  const warm = [compiled(MAIN), 'warm', 'lunch', '--loaders', compiled(loaders)];

  expect(await outputOf(dev(system, loaders, warm))).toMatch(/300 loaded {2}0 fresh {2}0 failed/);
  expect(await outputOf(run(system, 'examples/warm-up/read.js'))).toBe(
    'from Redis: 300, loaded while somebody waited: 0',
  );
});

test('encrypting-codec: nothing is readable in Redis, keys are rotated and dropped', async ({
  system,
}) => {
  const output = await outputOf(run(system, 'examples/encrypting-codec/main.js'));

  expect(output.split('\n').map((line) => line.trim())).toEqual([
    'encrypts',
    '2 entries, 0 of them readable',
    'rotates',
    'anna@example.com from redis',
    'anna@example.org from redis',
    'drops the old key',
    'anna@example.org from redis',
    'bert@example.com from loader',
  ]);
});
