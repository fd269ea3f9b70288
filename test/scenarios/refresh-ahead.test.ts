import { describe, expect } from 'vitest';
import { test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const TTL_MS = 1_000;
const LIVES = 20;

describe.concurrent('a key that is read steadily', () => {
  test('is refreshed ahead for 20 of its lives and never makes its reader wait', async ({
    system,
  }) => {
    const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1s', loadMs: 50 }];
    const [app, worker] = await Promise.all([
      system.app(loaders),
      system.everwarm('worker', loaders),
      system.everwarm('scheduler', loaders),
    ]);

    const report = await app.read('item', 'hot', LIVES * TTL_MS);

    expect(report).toMatchObject({ waits: 1, stale: 0, errors: [] });
    const calls = await system.probe.calls({ stage: 'started' });
    expect(calls[0]).toMatchObject({ reason: 'miss', pid: app.child.pid });
    const refreshes = calls.slice(1);
    expect(refreshes.filter(({ pid }) => pid !== worker.pid)).toEqual([]);
    expect(refreshes.filter(({ reason }) => reason !== 'refresh')).toEqual([]);
    // About one load per life.
    expect(calls.length).toBeGreaterThanOrEqual(15);
    expect(calls.length).toBeLessThanOrEqual(45);
    // What was loaded was read: the last one may have landed after the last read.
    expect(report.loads.length).toBeGreaterThanOrEqual(calls.length - 1);
  });

  test('stays warm while its worker is killed in mid-load, twice, and another takes over', async ({
    system,
  }) => {
    // A refresh starts 2 s before expiry: time for the dead worker's claim and lock to run out.
    const loaders: LoaderSpec[] = [
      { name: 'item', ttl: '3s', loadMs: 50, refresh: { minLead: '2s' } },
    ];
    const startWorker = () => system.worker(loaders, { lockTtl: '500ms' });
    const [app, ...workers] = await Promise.all([
      system.app(loaders, { lockTtl: '500ms' }),
      startWorker(),
      startWorker(),
      system.scheduler(loaders, { claimTtl: '600ms' }),
    ]);
    const reading = app.read('item', 'hot', LIVES * TTL_MS);

    const dead: number[] = [];
    for (const after of [3, 8]) {
      await system.probe.call({ stage: 'finished', reason: 'refresh' }, after);
      await system.probe.holdNext('worker');
      const held = await system.probe.call({ isHeld: true }, dead.length + 1);
      const holder = workers.find(({ pid }) => pid === held.pid);
      expect(await holder?.kill()).toEqual({ code: null, signal: 'SIGKILL' });
      dead.push(held.n);
      workers.push(await startWorker());
    }
    const report = await reading;

    expect(report).toMatchObject({ waits: 1, stale: 0, errors: [] });
    const finished = await system.probe.calls({ stage: 'finished', reason: 'refresh' });
    const workerPids = workers.map(({ pid }) => pid);
    expect(finished.filter(({ pid }) => !workerPids.includes(pid))).toEqual([]);
    for (const n of dead) {
      expect(finished.filter((call) => call.n === n)).toEqual([]);
      expect(finished.filter((call) => call.n > n).length).toBeGreaterThan(0);
    }
  });
});
