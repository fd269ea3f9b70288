import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { createDashboard } from '../../dashboards/create-dashboard.ts';
import { startDashboard } from '../../dashboards/server.ts';
import { defineLoader, type EventMap } from '../../src/index.ts';
import { ownServer } from '../helpers/cache.ts';
import { openDashboard, PASSWORD_HASH } from '../helpers/dashboard.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
const loaders = [item];
const TOKEN = 'a-token-of-some-length';

it('counts wrong passwords on, whatever right logins come between them', async () => {
  const auth = [`ann:${PASSWORD_HASH}`, `bob:${PASSWORD_HASH}:viewer`, `bearer:${TOKEN}:viewer`];
  const { get, url } = await openDashboard({ loaders, auth });
  const statuses: number[] = [];
  for (let nth = 0; nth < 25; nth++) {
    statuses.push((await get('/', `guess-${nth}`)).status);
    if (nth < 20) expect((await get('/', 'bob')).status).toBe(200);
  }
  expect(statuses).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
  const bearer = (text: string): Promise<Response> =>
    fetch(url, { headers: { authorization: `Bearer ${text}` } });
  expect((await bearer(TOKEN)).status).toBe(429);
});

it('takes back the count of a right login, and takes no header with anything behind it', async () => {
  const { url } = await openDashboard({ loaders, auth: [`bearer:${TOKEN}`] });
  const status = async (authorization: string): Promise<number> =>
    (await fetch(`${url}/keys`, { headers: { authorization } })).status;
  for (let nth = 0; nth < 30; nth++) expect(await status(`Bearer ${TOKEN}`)).toBe(200);
  for (let nth = 0; nth < 20; nth++) expect(await status(`Bearer ${TOKEN} ${nth}`)).toBe(401);
});

it.for([
  [undefined, 401],
  [null, 401],
  [{ name: 'ann' }, 500],
  [{ name: 'ann', role: 'admin' }, 500],
  [true, 500],
] as const)('lets nobody in of whom its function answers %j', async ([user, status]) => {
  const dashboard = createDashboard({
    redis: redisUrl(),
    namespace: uniqueNamespace(),
    loaders,
    auth: () => user as never,
  });
  onTestFinished(() => dashboard.close());
  const failed: EventMap['dashboard:failed'][] = [];
  dashboard.on('dashboard:failed', (event) => failed.push(event));
  const server = express().use(dashboard.router).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };

  const answer = await fetch(`http://127.0.0.1:${port}/keys`);
  expect(answer.status).toBe(status);
  expect(await answer.text()).not.toContain('item');
  const told = failed.map(({ error }) => (error as Error).message);
  const rule = "must be { name: 'ann', role: 'viewer' or 'operator' }, or null";
  expect(told).toEqual(status === 500 ? [expect.stringContaining(rule)] : []);
});

it('tells of an action that failed without the key that it hides', async () => {
  const cache = await ownServer();
  const dashboard = await startDashboard({
    redis: { cache: cache.url, queue: redisUrl() },
    namespace: uniqueNamespace(),
    loaders,
    auth: [`bearer:${TOKEN}`],
    hideKeys: true,
    onAudit: () => undefined,
    port: 0,
  });
  onTestFinished(() => dashboard.close());
  const failed: EventMap['dashboard:failed'][] = [];
  dashboard.on('dashboard:failed', (event) => failed.push(event));
  await cache.close();

  const answer = await fetch(`${dashboard.url}/actions/key`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: new URLSearchParams({ action: 'delete', loader: 'item', key: 'ann@example.com' }),
  });
  expect(answer.status).toBe(503);
  expect(failed).toMatchObject([{ method: 'POST', path: '/actions/key', status: 503 }]);
  const [error] = failed.map((event) => event.error as Error);
  expect(error?.message).toMatch(/^REDIS_UNAVAILABLE \(its text may/);
});
