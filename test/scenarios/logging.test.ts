import { describe, expect } from 'vitest';
import { compiled } from '../helpers/child.ts';
import { freePort } from '../helpers/port.ts';
import { printed, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1s' }];

describe.concurrent('the log of a process', () => {
  test('is one JSON object a line, with time, level, role and event', async ({ system }) => {
    const worker = await system.everwarm('worker', loaders);
    worker.signal('SIGTERM');
    await worker.exited;

    const lines = worker.output.split('\n').map((line) => JSON.parse(line) as object);
    for (const line of lines) {
      expect(line).toMatchObject({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        level: 'info',
        role: 'worker',
      });
    }
    expect(lines).toMatchObject([
      { event: 'role:ready', pid: worker.pid, loaders: ['item'] },
      { event: 'role:closing', signal: 'SIGTERM', msg: 'SIGTERM: closing' },
      { event: 'role:closed', msg: 'worker closed' },
    ]);
  });

  test('is for people if asked for', async ({ system }) => {
    const scheduler = await system.everwarm('scheduler', loaders, ['--log-format', 'pretty']);

    expect(scheduler.output).toMatch(
      /^\[[\d:.]+\] INFO: \[scheduler\] scheduler ready \(pid \d+\)/,
    );
  });

  test('leaves out what is below its level', async ({ system }) => {
    const env = {
      EVERWARM_LOADERS: compiled('test/processes/loaders.js'),
      EVERWARM_NAMESPACE: system.namespace,
      REDIS_URL: await deadUrl(),
      EVERWARM_LOG_LEVEL: 'warn',
    };
    const worker = system.run('workers/refresh.js', [], { loaders, env });
    await printed(worker, /ECONNREFUSED/);
    worker.signal('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });

    const lines = worker.output.split('\n').map((line) => JSON.parse(line) as { level: string });
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['warn']));
    // The role is the process's, also where an event has one: that of a server.
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'redis:failed', role: 'worker', server: 'queue' }),
    );
  });

  test('refuses a level that there is not, naming the others', async ({ system }) => {
    const env = { EVERWARM_LOG_LEVEL: 'loud', EVERWARM_NAMESPACE: system.namespace };
    const worker = system.run('workers/refresh.js', [], { env });

    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(worker.output).toBe(
      'everwarm: `--log-level` ("loud") must be one of debug, info, warn, error, silent',
    );
  });
});

async function deadUrl(): Promise<string> {
  return `redis://127.0.0.1:${await freePort()}`;
}
