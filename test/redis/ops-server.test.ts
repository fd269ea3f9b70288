import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { healthOf } from '../../src/core/health.ts';
import { healthHandlers } from '../../workers/health-handlers.ts';
import { type OpsHandler, type OpsServer, startOpsServer } from '../../workers/ops-server.ts';
import { gate } from '../helpers/cache.ts';

async function serve(handlers: Record<string, OpsHandler>): Promise<OpsServer> {
  const server = await startOpsServer({ port: 0, handlers });
  onTestFinished(() => server.close());
  return server;
}

/** A connection that has sent this, and stays open. */
async function client(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(text);
  await once(socket, 'connect');
  return socket;
}

test('answers the paths it has, to GET and HEAD alone', async () => {
  const { url } = await serve({ '/metrics': (_request, response) => response.end('1\n') });

  expect(await (await fetch(`${url}/metrics?x=1`)).text()).toBe('1\n');
  expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  const missing = await fetch(`${url}/metric`);
  expect([missing.status, await missing.text()]).toEqual([404, '404: there are /metrics\n']);
});

test('a handler that fails is answered with 500, and nothing of its error', async () => {
  const { url } = await serve({ '/metrics': () => Promise.reject(new Error('secret')) });
  const warned = once(process, 'warning');

  const answer = await fetch(`${url}/metrics`);

  expect([answer.status, await answer.text()]).toEqual([500, '500: it failed, see the log\n']);
  expect(String((await warned)[0])).toContain('the answer to /metrics failed: secret');
});

test('closes while clients keep idle connections, and after 1 s while one waits for an answer', async () => {
  const asked = gate();
  const { url, close } = await serve({
    '/quick': (_request, response) => response.end('ok'),
    '/never': () => asked.open(),
  });
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const idle = await client(url, request('/quick'));
  await once(idle, 'data');
  const cut = once(idle.resume(), 'close');

  await close();
  await cut;

  const other = await serve({ '/never': () => asked.open() });
  const waiting = await client(other.url, request('/never'));
  await asked.opened;
  const abandoned = once(waiting.resume(), 'close');
  await other.close();
  await abandoned;
});

test('refuses a port that is taken, or is none', async () => {
  const { url } = await serve({});
  const port = Number(new URL(url).port);

  await expect(startOpsServer({ port, handlers: {} })).rejects.toMatchObject({
    code: 'HEALTH_PORT',
    message: expect.stringContaining(`port ${port}: something else listens there`),
  });
  await expect(startOpsServer({ port: 65_536, handlers: {} })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  });
});

test('asks for the health once for all probes at a time', async () => {
  let calls = 0;
  let arrived = 0;
  const answer = gate();
  const handlers = healthHandlers(async () => {
    calls++;
    await answer.opened;
    return healthOf(['the queue Redis does not answer', null]);
  });
  const readyz: OpsHandler = (...args) => {
    arrived++;
    return handlers['/readyz']?.(...args);
  };
  const { url } = await serve({ ...handlers, '/readyz': readyz });

  const probes = Array.from({ length: 20 }, () => fetch(`${url}/readyz`));
  await expect.poll(() => arrived).toBe(20);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  answer.open();

  const [first] = await Promise.all(probes);
  expect(calls).toBe(1);
  expect(first?.status).toBe(503);
  const reasons = ['the queue Redis does not answer'];
  expect(await first?.json()).toEqual({ isReady: false, reasons });
});
