import { Agent, get } from 'node:http';
import { describe, expect } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../src/dev/embedded-redis.ts';
import { type Child, compiled } from '../helpers/child.ts';
import { freePort } from '../helpers/port.ts';
import { printed, type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const loaders: LoaderSpec[] = [{ name: 'item', ttl: '5s' }];
const PATIENCE = { timeout: 30_000, interval: 100 };

/** A role that is told of a server and answers probes. */
async function watched(system: System, role: string, port: number): Promise<[Child, string]> {
  const file = compiled('test/processes/loaders.js');
  const args = ['--loaders', file, '--redis', `redis://127.0.0.1:${port}`, '--health-port', '0'];
  const own = { worker: ['--grace', '300ms'], dashboard: ['--port', '0'] }[role] ?? [];
  const child = system.run('src/cli/main.js', [role, ...args, ...own], { loaders });
  await printed(child, /health http/);
  const [, url = ''] = /health (http:\/\/[\d.]+:\d+)/.exec(child.output) ?? [];
  return [child, url];
}

async function probe(url: string): Promise<{ status: number; reasons: readonly string[] }> {
  const answer = await fetch(url);
  const { reasons } = (await answer.json()) as { reasons: readonly string[] };
  return { status: answer.status, reasons };
}

describe.concurrent('/readyz', () => {
  test.for(['worker', 'scheduler', 'dashboard'])(
    'tells whether a %s gets on: not before Redis is there, nor while it hangs, nor from SIGTERM on',
    { timeout: 120_000 },
    async (role, { system, expect }) => {
      const port = await freePort();
      const [child, url] = await watched(system, role, port);
      const status = async (): Promise<number> => (await probe(`${url}/readyz`)).status;
      expect(await status()).toBe(503);

      const redis: EmbeddedRedis = await startEmbeddedRedis({ port });
      try {
        await expect.poll(status, PATIENCE).toBe(200);
        expect(await probe(`${url}/readyz`)).toEqual({ status: 200, reasons: [] });

        process.kill(redis.pid, 'SIGSTOP');
        await expect.poll(status, PATIENCE).toBe(503);
        expect((await probe(`${url}/readyz`)).reasons.length).toBeGreaterThan(0);
        expect((await fetch(`${url}/healthz`)).status).toBe(200);
        process.kill(redis.pid, 'SIGCONT');
        await expect.poll(status, PATIENCE).toBe(200);

        // What keeps it from closing at once: a tick, a job or a page that waits for Redis.
        process.kill(redis.pid, 'SIGSTOP');
        await idleConnection(url);
        child.signal('SIGTERM');
        await printed(child, /SIGTERM: closing/);
        // Closed already, or not ready.
        const after = await probe(`${url}/readyz`).catch(() => ({ reasons: ['it is closing'] }));
        expect(after.reasons).toEqual(['it is closing']);
        expect(await child.exited).toEqual({ code: 0, signal: null });
      } finally {
        process.kill(redis.pid, 'SIGCONT');
        await redis.close();
      }
    },
  );

  test('is not asked of a process without a port for it', async ({ system }) => {
    const worker = await system.everwarm('worker', loaders);

    expect(worker.output).not.toContain('http');
  });
});

test('a close that never ends is given up at its deadline, with exit code 1', async ({
  system,
}) => {
  const shutdown = JSON.stringify(compiled('workers/shutdown.js'));
  const log = JSON.stringify(compiled('workers/log.js'));
  const program = await system.file(
    'hangs.mjs',
    `import { runUntilSignal } from ${shutdown};
import { openLog } from ${log};
setInterval(() => {}, 60_000);
const close = () => new Promise(() => {});
const options = { log: await openLog('worker', {}), close, deadlineMs: 100 };
await runUntilSignal('worker', options, async () => console.log('runs'));
`,
  );
  const child = system.run(program);
  await printed(child, /runs/);

  child.signal('SIGTERM');

  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.output).toContain('the worker is not closed after 100 ms');
});

/** A client that keeps its connection open, and asks for nothing more. */
function idleConnection(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/healthz`, { agent: new Agent({ keepAlive: true }) }, (response) => {
      response.resume().once('end', resolve);
    });
    request.once('error', reject);
    // Its end is the process's, of no interest.
    request.once('socket', (socket) => socket.on('error', () => undefined));
  });
}
