import { describe, expect } from 'vitest';
import { openQueue } from '../../src/queue/refresh-queue.ts';
import { Keys } from '../../src/redis/keys.ts';
import type { Child } from '../helpers/child.ts';
import { type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

/** Ends of retries and the clock they were planned by come from two processes. */
const CLOCK_SLACK_MS = 50;

/** How long the worker waited after each failed refresh of a key, in order. */
function waitsAfterFailures(worker: Child, key: string): number[] {
  return worker
    .events('refresh:failed')
    .filter((event) => event.key === key)
    .map((event) => event.retryAtMs - event.toldAtMs);
}

function refreshesOf(system: System, key: string, worker: Child): Promise<unknown[]> {
  return system.probe.calls({ stage: 'finished', key, pid: worker.pid });
}

describe.concurrent('while some refreshes fail', () => {
  test('backs off a key whose origin is down, keeps its value, and keeps the others warm', async ({
    system,
    expect,
  }) => {
    // A lead of a second: the tests beside this one start their processes while it reads.
    const loaders: LoaderSpec[] = [
      { name: 'item', ttl: '2s', staleIfError: '1m', refresh: { minLead: '1s' } },
    ];
    const [app, worker] = await Promise.all([
      system.app(loaders),
      system.worker(loaders),
      system.schedulerHere(loaders),
    ]);
    const keys = ['good', 'bad', 'worse'];
    const reading = Promise.all(keys.map((key) => app.read('item', key)));
    const like = { stage: 'finished', by: 'worker' } as const;
    await Promise.all(keys.map((key) => system.probe.call({ ...like, key })));

    for (const key of ['bad', 'worse']) await system.probe.failFrom(key);
    const failures = () =>
      Math.min(...['bad', 'worse'].map((key) => waitsAfterFailures(worker, key).length));
    // Four waits take longer than the lead: by the fifth failure both have expired.
    await expect.poll(failures, { timeout: 20_000 }).toBeGreaterThanOrEqual(5);
    const warm = (await refreshesOf(system, 'good', worker)).length;
    await system.probe.call({ ...like, key: 'good' }, warm + 1);
    await app.stopReading();
    const [good, bad, worse] = await reading;

    // Half of it random: 250 ms, doubled each time, at most one ttl.
    for (const key of ['bad', 'worse']) {
      for (const [at, waitMs] of waitsAfterFailures(worker, key).slice(0, 4).entries()) {
        const fullMs = Math.min(250 * 2 ** at, 2_000);
        expect(waitMs).toBeGreaterThan(fullMs / 2 - CLOCK_SLACK_MS);
        expect(waitMs).toBeLessThan(fullMs + CLOCK_SLACK_MS);
      }
    }
    expect(good).toMatchObject({ waits: 1, stale: 0, errors: [] });
    for (const failed of [bad, worse]) {
      expect(failed?.errors).toEqual([]);
      expect(failed?.stale).toBeGreaterThan(0);
    }
  });

  test('gives the slot of a load that never settles to others after loadTimeout', async ({
    system,
  }) => {
    const loaders: LoaderSpec[] = [
      { name: 'item', ttl: '3s', loadTimeout: '500ms', refresh: { minLead: '2s' } },
    ];
    const [app, worker] = await Promise.all([
      system.app(loaders),
      system.worker(loaders, { concurrency: 1 }),
      system.schedulerHere(loaders),
    ]);
    await system.probe.holdNext('worker', { how: 'deaf' });

    const reading = Promise.all(['a', 'b'].map((key) => app.read('item', key)));
    const stuck = await system.probe.call({ isHeld: true, pid: worker.pid });
    for (const key of ['a', 'b']) {
      await system.probe.call({ stage: 'finished', key, pid: worker.pid });
    }
    await app.stopReading();

    expect(worker.events('refresh:failed')).toEqual([
      expect.objectContaining({ key: stuck.key, error: expect.stringMatching(/500 ms/) }),
    ]);
    for (const report of await reading) expect(report).toMatchObject({ waits: 1, errors: [] });
  });

  test('fails jobs that no scheduler has made once, and goes on', async ({ system, expect }) => {
    const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1s' }];
    const [app, worker] = await Promise.all([
      system.app(loaders),
      system.everwarm('worker', loaders),
      system.schedulerHere(loaders),
    ]);
    const queue = openQueue(system.redis, new Keys(system.namespace), { name: 'item', version: 1 });
    const times = { enqueuedAtMs: Date.now(), deadlineAtMs: Date.now() + 60_000 };
    const rest = { loader: 'item', seen: [0], heat: [null], unread: [0], version: 1, ...times };
    const garbage = [
      null,
      'text',
      {},
      { ...rest, keys: 'k' },
      { ...rest, keys: [7] },
      { ...rest, keys: ['{"b":1, "a":2}'] }, // no key text that encodeKey makes
      { ...rest, keys: ['k'], loader: 'unknown' },
      { ...rest, keys: ['k'], enqueuedAtMs: 'now' },
    ];

    const jobs = await queue.addBulk(
      garbage.map((data) => ({ name: 'refresh', data: data as never })),
    );
    const states = () => Promise.all(jobs.map((job) => job.getState()));
    await expect.poll(states, { timeout: 10_000 }).toEqual(garbage.map(() => 'failed'));

    const reading = app.read('item', 'hot');
    await system.probe.call({ stage: 'finished', key: 'hot', pid: worker.pid }, 2);
    await app.stopReading();
    expect(await reading).toMatchObject({ errors: [] });
    const failed = await queue.getFailed();
    expect(failed.map(({ attemptsMade }) => attemptsMade)).toEqual(garbage.map(() => 1));
    expect(await queue.getFailedCount()).toBe(garbage.length);
    expect(worker.ending).toBeNull();
    await queue.close();
  });

  test('refreshes once per life with three schedulers', async ({ system }) => {
    const loaders: LoaderSpec[] = [{ name: 'item', ttl: '2s', refresh: { minLead: '1s' } }];
    const [app] = await Promise.all([
      system.app(loaders),
      system.worker(loaders),
      ...[1, 2, 3].map(() => system.scheduler(loaders)),
    ]);

    const report = await app.read('item', 'hot', 10_000);

    expect(report).toMatchObject({ waits: 1, errors: [] });
    const calls = await system.probe.calls({ stage: 'started' });
    expect(calls.length).toBeGreaterThanOrEqual(8);
    expect(calls.length).toBeLessThanOrEqual(20);
  });
});
