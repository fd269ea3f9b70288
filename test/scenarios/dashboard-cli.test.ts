import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished } from 'vitest';
import { compiled } from '../helpers/child.ts';
import { freePort } from '../helpers/port.ts';
import { printed, test } from '../helpers/system.ts';

const MAIN = 'src/cli/main.js';
const LOADERS = `
import { defineLoader } from ${JSON.stringify(compiled('src/index.js'))};
export const item = defineLoader({ name: 'item', ttl: '1m', load: async (id) => id });
`;

describe('everwarm dashboard', () => {
  test('says that its port is taken, and ends with exit code 1', async ({ system }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const flags = ['dashboard', '--loaders', loaders, '--redis', system.url];
    const first = system.run(MAIN, [...flags, '--port', '0']);
    await printed(first, /dashboard http:\/\/127\.0\.0\.1:\d+/);
    const [, port = ''] = /dashboard http:\S+:(\d+)/.exec(first.output) ?? [];

    const second = system.run(MAIN, [...flags, '--port', port]);

    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output).toContain(
      `the dashboard cannot listen on host 127.0.0.1, port ${port}: something else listens there`,
    );
  });

  test('refuses other addresses without a login, and takes the one that everwarm password prints', async ({
    system,
  }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const flags = ['dashboard', '--loaders', loaders, '--redis', system.url, '--port', '0'];
    const open = system.run(MAIN, [...flags, '--host', '0.0.0.0']);
    expect(await open.exited).toEqual({ code: 1, signal: null });
    expect(open.output).toMatch(/`dashboard\.host` \("0\.0\.0\.0"\) .* needs `dashboard\.auth`/);

    const entry = await new Promise<string>((resolve) => {
      const args = [compiled(MAIN), 'password', 'ann'];
      const child = execFile(process.execPath, args, (_error, stdout) => resolve(stdout.trim()));
      child.stdin?.end('correct horse\n');
    });
    const closed = system.run(MAIN, [...flags, '--host', '0.0.0.0', '--auth', entry]);
    await printed(closed, /dashboard http:/);
    const [, url = ''] = /dashboard (http:[^"\s]+)/.exec(closed.output) ?? [];
    const ask = async (password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`ann:${password}`).toString('base64')}`;
      return (await fetch(url, { headers: { authorization } })).status;
    };
    expect([await ask('correct horse'), await ask('wrong')]).toEqual([200, 401]);
    expect(closed.output).toContain('"event":"dashboard:login-refused"');
  });

  test('tells its log that Redis is away; with --strict it ends, with exit code 1', async ({
    system,
  }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const redis = `redis://127.0.0.1:${await freePort()}`;
    const flags = ['dashboard', '--loaders', loaders, '--redis', redis, '--port', '0'];
    const strict = system.run(MAIN, [...flags, '--strict']);
    const patient = system.run(MAIN, flags);
    expect(await strict.exited).toEqual({ code: 1, signal: null });
    expect(strict.output).toContain(`everwarm: Redis at ${redis} did not answer within 5000 ms`);
    await printed(patient, /"event":"redis:failed","server":"queue".*ECONNREFUSED/);
    expect(patient.output).toContain('"event":"role:ready"');
  });

  test('ends when it is told to while it waits for its servers', async ({ system }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const redis = `redis://127.0.0.1:${port}`;
    const flags = ['dashboard', '--loaders', loaders, '--redis', redis, '--port', '0'];
    const dashboard = system.run(MAIN, flags);
    await once(silent, 'connection'); // It will wait for an answer for 5 s.
    dashboard.signal('SIGTERM');

    expect(await dashboard.exited).toEqual({ code: 0, signal: null });
    expect(dashboard.output).toContain('"event":"role:closed"');
    expect(dashboard.output).not.toContain('"event":"role:ready"');
  });

  test('serves metrics of the fleet where workers do, and not where pages are', async ({
    system,
  }) => {
    const loaders = await system.file('loaders.mjs', LOADERS);
    const flags = ['dashboard', '--loaders', loaders, '--redis', system.url, '--port', '0'];
    const child = system.run(MAIN, [...flags, '--metrics-port', '0', '--health-port', '0']);
    await printed(child, /dashboard http:/);
    const urlOf = (name: string): string =>
      new RegExp(`${name} (http:[^"\\s]+)`).exec(child.output)?.[1] ?? '';
    const scrape = async (url: string): Promise<string> => (await fetch(url)).text();

    const alive = 'everwarm_worker_alive{loader="item"} 0';
    await expect.poll(() => scrape(urlOf('metrics'))).toContain(alive);
    expect(await scrape(urlOf('health').replace('/readyz', '/metrics'))).toContain(alive);
    expect((await fetch(`${urlOf('dashboard')}/metrics`)).status).toBe(404);
  });
});
