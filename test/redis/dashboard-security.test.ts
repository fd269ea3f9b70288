import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { createDashboard } from '../../dashboards/create-dashboard.ts';
import { startDashboard } from '../../dashboards/server.ts';
import { defineLoader } from '../../src/index.ts';
import { credentials, openDashboard, PASSWORD_HASH, tokenFrom } from '../helpers/dashboard.ts';
import { redisUrl, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });
const loaders = [item];
const OPERATOR = `ann:${PASSWORD_HASH}`;
const VIEWER = `bob:${PASSWORD_HASH}:viewer`;
const PAUSE = '/queues/api/queues/item/pause';
const ANYTHING = { action: 'delete', loader: 'item', key: 'a' };

it('asks for a login on every page, but not for its style and its health', async () => {
  const { get } = await openDashboard({ loaders, auth: [OPERATOR] });
  for (const path of ['/', '/keys', '/events', '/queues', '/queues/api/queues', '/nothing']) {
    const answer = await get(path);
    expect([path, answer.status]).toEqual([path, 401]);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(await answer.text()).not.toContain('item');
  }
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/assets/style.css')).status).toBe(200);
  expect((await get('/', 'ann')).status).toBe(200);
});

it('takes a bearer token, without a form’s token: no browser sends it by itself', async () => {
  const { url } = await openDashboard({ loaders, auth: ['bearer:a-token-of-some-length'] });
  const send = (token: string): Promise<Response> =>
    fetch(`${url}/actions/key`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams(ANYTHING),
    });
  expect((await send('a-token-of-some-length')).status).toBe(303);
  expect((await send('a-token-of-some-other')).status).toBe(401);
});

it('answers 429 to wrong passwords without end, and to the right one after them', async () => {
  const { get, audited } = await openDashboard({ loaders, auth: [OPERATOR] });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => get('/', `guess-${at}`)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([...Array(20).fill(401), ...Array(40).fill(429)]);
  expect((await get('/', 'ann')).status).toBe(429);
  expect(audited).toHaveLength(20);
  expect(audited[0]).toMatchObject({ event: 'dashboard:login-refused', status: 401 });
});

it('lets viewers look, and change nothing, not by Bull Board’s API either', async () => {
  const { get, post, url, audited } = await openDashboard({ loaders, auth: [OPERATOR, VIEWER] });
  const page = await (await get('/keys/item/a', 'bob')).text();
  expect(page).not.toContain('<form method="post"');
  expect((await post('/actions/key', ANYTHING, 'bob')).status).toBe(403);
  expect((await post('/actions/loader', { loader: 'item', action: 'pause' }, 'bob')).status).toBe(
    403,
  );

  const change = async (user: string): Promise<number> => {
    const token = await tokenFrom(await get('/', user));
    const headers = { ...credentials(user), cookie: `XSRF-TOKEN=${token}`, 'x-xsrf-token': token };
    return (await fetch(url + PAUSE, { method: 'PUT', headers })).status;
  };
  expect(await change('bob')).toBe(403);
  expect(await change('ann')).toBe(200);
  expect(audited.filter(({ user }) => user === 'bob').map(({ status }) => status)).toEqual([
    403, 403, 403,
  ]);
  const seen = await (await get('/queues/api/queues', 'bob')).json();
  expect(seen).toMatchObject({ queues: [{ name: 'item', readOnlyMode: true }] });
});

it('changes nothing at all when it is read-only', async () => {
  const { get, post } = await openDashboard({ loaders, readOnly: true });
  expect((await post('/actions/key', ANYTHING)).status).toBe(403);
  expect(await (await get('/keys/item/a')).text()).not.toContain('<form method="post"');
});

it('refuses a change without the token of its own cookie', async () => {
  const { get, url } = await openDashboard({ loaders, auth: [OPERATOR, VIEWER] });
  const own = await tokenFrom(await get('/', 'ann'));
  const another = await tokenFrom(await get('/', 'ann'));
  const ofBob = await tokenFrom(await get('/', 'bob'));
  const send = async (cookie: string, field: string): Promise<number> => {
    const answer = await fetch(`${url}/actions/key`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...credentials('ann'), cookie: `other=1; XSRF-TOKEN=${cookie}` },
      body: new URLSearchParams({ ...ANYTHING, _csrf: field }),
    });
    return answer.status;
  };
  expect(await send(own, own)).toBe(303);
  expect(await send(own, '')).toBe(403);
  expect(await send(own, another)).toBe(403);
  expect(await send('forged.forged', 'forged.forged')).toBe(403);
  expect(await send('', '')).toBe(403);
  // Planted by a neighbouring site that has a token of somebody else's.
  expect(await send(ofBob, ofBob)).toBe(403);
});

it('tells who did what, with which answer', async () => {
  const { post, audited } = await openDashboard({ loaders, auth: [OPERATOR] });
  await post('/actions/key', { ...ANYTHING, key: 'a\n{"event":"forged"}' }, 'ann');
  await expect.poll(() => audited).toHaveLength(1);
  expect(audited[0]).toMatchObject({
    event: 'dashboard:action',
    user: 'ann',
    role: 'operator',
    method: 'POST',
    path: '/actions/key',
    status: 303,
    details: { action: 'delete', loader: 'item', key: 'a\n{"event":"forged"}' },
  });
  expect(Date.parse(audited[0]?.at ?? '')).not.toBeNaN();
});

it('refuses a body of 10 MB, ours and Bull Board’s', async () => {
  const { get, url } = await openDashboard({ loaders });
  const token = await tokenFrom(await get('/'));
  const headers = { cookie: `XSRF-TOKEN=${token}`, 'x-xsrf-token': token };
  const body = JSON.stringify({ text: 'x'.repeat(10_000_000) });
  const json = { ...headers, 'content-type': 'application/json' };
  const path = '/queues/api/queues/item/concurrency';
  const board = await fetch(url + path, { method: 'PUT', headers: json, body });
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
  const own = await fetch(`${url}/actions/key`, { method: 'POST', headers: form, body });
  expect([board.status, own.status]).toEqual([413, 413]);
});

it('forbids everything inline on its own pages, and everything foreign on all', async () => {
  const { get } = await openDashboard({ loaders });
  const own = (await get('/')).headers;
  const board = await get('/queues');
  expect(own.get('content-security-policy')).toBe(
    "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';" +
      "connect-src 'self';manifest-src 'self';form-action 'self';base-uri 'self';frame-ancestors 'none'",
  );
  expect(board.headers.get('content-security-policy')).toContain("script-src 'self';");
  expect(board.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
  expect(await board.text()).not.toMatch(/https?:\/\//);
  expect(own.get('x-content-type-options')).toBe('nosniff');
  expect(own.get('strict-transport-security')).toBeNull();
  expect(own.get('cache-control')).toBe('no-store');
});

it.each([
  [{ host: '0.0.0.0' }, /`dashboard\.host` \("0\.0\.0\.0"\) is not a loopback address/],
  [{ host: '', allowedHosts: ['dash.example'] }, /`dashboard\.host`/],
  [{ port: 65_536 }, /`dashboard\.port` \(65536\) must be/],
  [{ port: 0.5 }, /`dashboard\.port`/],
  [{ allowedHosts: ['http://a'] }, /`dashboard\.allowedHosts\[0\]`/],
  [{ auth: ['ann:secret'] }, /`dashboard\.auth\[0\]`/],
  [{ basePath: 'x/' }, /`dashboard\.basePath`/],
  [{ loaders: [item, item] }, /`dashboard\.loaders`/],
])('refuses options that break a rule: %#', async (options, message) => {
  const base = { redis: redisUrl(), loaders, port: 0 };
  await expect(startDashboard({ ...base, ...options })).rejects.toThrow(message);
});

it('may be mounted in an application that has logins of its own', async () => {
  const dashboard = createDashboard({
    redis: redisUrl(),
    namespace: uniqueNamespace(),
    loaders,
    basePath: '/tools/everwarm',
    auth: ({ headers }) => (headers['x-user'] === 'ann' ? { name: 'ann', role: 'viewer' } : null),
  });
  onTestFinished(() => dashboard.close());
  const app = express().use('/tools/everwarm', dashboard.router);
  const server = app.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  const get = (path: string, user: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/tools/everwarm${path}`, { headers: { 'x-user': user } });

  expect((await get('/', 'eve')).status).toBe(401);
  const page = await (await get('/keys', 'ann')).text();
  const links = [...page.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, link]) => String(link));
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) {
    expect(link).toMatch(/^\/tools\/everwarm\//);
    const answer = await get(link.slice('/tools/everwarm'.length), 'ann');
    expect([link, answer.status]).toEqual([link, 200]);
  }
});
