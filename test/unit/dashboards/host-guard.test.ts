import { once } from 'node:events';
import { type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { hostGuard, isLoopbackName } from '../../../dashboards/host-guard.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

/** Sends to a guarded server that answers everything with "through". */
async function send(
  headers: Record<string, string>,
  { method = 'GET', allowedHosts = [] as readonly string[] } = {},
): Promise<Answer> {
  const app = express().use(hostGuard(allowedHosts), (_request, response) => {
    response.send('through');
  });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, method, headers, agent: false }).end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the Host header', () => {
  it.each([
    'localhost',
    'localhost:3000',
    'LocalHost:3000',
    '127.0.0.1',
    '127.0.0.1:65535',
    '[::1]',
    '[::1]:3000',
  ])('lets the loopback name %s through', async (host) => {
    expect(await send({ host })).toMatchObject({ status: 200, body: 'through' });
  });

  it.each([
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    '127.0.0.1.evil.example:3000',
    'localhost:3000@evil.example',
    'localhost/evil',
    'localhost:',
    'localhost:x',
    'localhost.',
    '127.1',
    '::1',
    '[::1',
    ' ',
  ])('refuses %j', async (host) => {
    expect(await send({ host })).toMatchObject({ status: 403 });
  });

  it('says which value was refused and by which rule', async () => {
    const { body, headers } = await send({ host: 'evil.example:3000' });
    expect(body).toBe(
      '403 Forbidden: the Host header "evil.example:3000" is neither a loopback name ' +
        "(127.0.0.1, localhost, [::1]) nor one of the dashboard's allowedHosts\n",
    );
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('lets an allowed name through with any port, and one with a port with that port alone', async () => {
    const allowedHosts = ['Dash.example', 'other.example:8080'];
    expect(await send({ host: 'dash.example' }, { allowedHosts })).toMatchObject({ status: 200 });
    expect(await send({ host: 'DASH.example:81' }, { allowedHosts })).toMatchObject({
      status: 200,
    });
    expect(await send({ host: 'other.example:8080' }, { allowedHosts })).toMatchObject({
      status: 200,
    });
    expect(await send({ host: 'other.example' }, { allowedHosts })).toMatchObject({ status: 403 });
    expect(await send({ host: 'sub.dash.example' }, { allowedHosts })).toMatchObject({
      status: 403,
    });
  });

  it.each(['https://dash.example', 'dash.example/queues', '*', '*.example', '', '::1'])(
    'does not accept %j as an allowed host',
    (entry) => {
      expect(() => hostGuard(['fine.example', entry])).toThrow(/`dashboard\.allowedHosts\[1\]`/);
    },
  );
});

describe('the Origin header', () => {
  const host = 'localhost:3000';

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    'lets its own through on %s',
    async (method) => {
      const answer = await send({ host, origin: 'http://localhost:3000' }, { method });
      expect(answer).toMatchObject({ status: 200, body: 'through' });
    },
  );

  it('counts the port a scheme implies as the same port', async () => {
    const method = 'PUT';
    const plain = await send({ host: 'localhost:80', origin: 'http://localhost' }, { method });
    const tls = await send({ host: 'localhost', origin: 'https://localhost' }, { method });
    expect([plain.status, tls.status]).toEqual([200, 200]);
  });

  it.each([
    'http://evil.example',
    'http://localhost',
    'http://localhost:3001',
    'http://127.0.0.1:3000',
    'http://localhost:3000.evil.example',
    'file://localhost:3000',
    'localhost:3000',
    'not an origin',
  ])('refuses %j on reads and writes', async (origin) => {
    expect(await send({ host, origin })).toMatchObject({ status: 403 });
    expect(await send({ host, origin }, { method: 'PUT' })).toMatchObject({ status: 403 });
  });

  it('refuses null where something could change, and lets it read', async () => {
    const origin = 'null';
    const answer = await send({ host, origin }, { method: 'POST' });
    expect(answer.body).toBe(
      '403 Forbidden: the Origin header "null" is not of the same host and port as the Host header "localhost:3000"\n',
    );
    expect(await send({ host, origin })).toMatchObject({ status: 200 });
  });

  it('may be absent: curl sends none', async () => {
    expect(await send({ host }, { method: 'PUT' })).toMatchObject({ status: 200 });
  });
});

describe('the Sec-Fetch-Site header', () => {
  const host = 'localhost:3000';
  const crossSite = { host, 'sec-fetch-site': 'cross-site' };

  it('refuses a cross-site write even without an Origin', async () => {
    const { status, body } = await send(crossSite, { method: 'POST' });
    expect({ status, body }).toEqual({
      status: 403,
      body: '403 Forbidden: the Sec-Fetch-Site header "cross-site" is allowed for GET only, this is POST\n',
    });
  });

  it('lets a link from another site open the page', async () => {
    expect(await send(crossSite)).toMatchObject({ status: 200 });
  });
});

it.each(['localhost', 'evil.example'])('sets the security headers for host %s', async (host) => {
  const { headers } = await send({ host });
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'content-security-policy': "frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
  });
});

it('knows which names only this machine reaches', () => {
  const names = ['127.0.0.1', 'localhost', 'LOCALHOST', '::1', '[::1]', '0.0.0.0', '::', '', 'a.b'];
  expect(names.filter(isLoopbackName)).toEqual([
    '127.0.0.1',
    'localhost',
    'LOCALHOST',
    '::1',
    '[::1]',
  ]);
});
