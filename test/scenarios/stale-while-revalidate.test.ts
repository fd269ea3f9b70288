import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, System } from '../helpers/system.ts';
import type { ReadReport } from '../processes/app.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const READERS = 250;
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '2s', staleWhileRevalidate: '1m' }];

// The same processes for both tests, each with a key of its own; the last one kills one of them.
let system: System;
let apps: [App, App, App];
beforeAll(async () => {
  system = new System();
  const start = () => system.app(loaders, { lockTtl: '500ms' });
  apps = await Promise.all([start(), start(), start()]);
});
afterAll(() => system.end());

const numbersOf = async (key: string): Promise<number[]> =>
  (await system.probe.calls({ stage: 'started', key })).map(({ n }) => n);

/** The first process has loaded it, found it expired, and loads it anew until the gate opens. */
async function expire(key: string): Promise<void> {
  const [first] = apps;
  await first.get('item', key);
  await system.probe.holdNext('reader');
  // Read by nobody, so that it expires.
  await expect
    .poll(async () => (await first.get('item', key)).state, { timeout: 5_000, interval: 2_500 })
    .toBe('stale');
  await system.probe.call({ isHeld: true, key });
}

test('loads an expired key once for 750 readers in 3 processes, and makes none wait', async () => {
  await expire('hot');

  const together = { do: 'read-together', loader: 'item', key: 'hot', times: READERS } as const;
  const reports = await Promise.all(apps.map((app) => app.do<ReadReport>(together)));

  const [old, anew, ...more] = await numbersOf('hot');
  expect(more).toEqual([]);
  const all = { reads: READERS, waits: 0, stale: READERS, loads: [old], errors: [] };
  expect(reports).toMatchObject(apps.map(() => all));
  await system.probe.openGate();
  for (const app of apps) {
    await expect.poll(async () => (await app.get('item', 'hot')).value.n).toBe(anew);
  }
});

test('is loaded by another process when the one that loads it is killed', async () => {
  const [one, two] = apps;
  await expire('orphaned');
  await one.child.kill();

  // The second load died with its process.
  const load = async (): Promise<number> => (await two.get('item', 'orphaned')).value.n;
  const calls = () => system.probe.calls({ stage: 'started', key: 'orphaned' });
  const third = async (): Promise<number | undefined> => (await calls())[2]?.n;
  await expect.poll(async () => (await load()) === (await third()), { timeout: 10_000 }).toBe(true);
  const pids = (await calls()).map(({ pid }) => pid);
  expect(pids).toEqual([one.child.pid, one.child.pid, two.child.pid]);
});
