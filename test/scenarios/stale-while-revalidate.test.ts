import { expect } from 'vitest';
import { test } from '../helpers/system.ts';
import type { ReadReport } from '../processes/app.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const PROCESSES = 3;
const READERS = 250;
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '2s', staleWhileRevalidate: '1m' }];

test('loads an expired key once for 750 readers in 3 processes, and makes none wait', async ({
  system,
}) => {
  const apps = await Promise.all(
    Array.from({ length: PROCESSES }, () => system.app(loaders, { lockTtl: '500ms' })),
  );
  const [first] = apps;
  await first?.get('item', 'hot');
  await system.probe.holdNext('reader');
  // Read by nobody, so that it expires.
  await expect
    .poll(async () => (await first?.get('item', 'hot'))?.state, { timeout: 5_000, interval: 2_500 })
    .toBe('stale');
  await system.probe.call({ isHeld: true });

  const together = { do: 'read-together', loader: 'item', key: 'hot', times: READERS } as const;
  const reports = await Promise.all(apps.map((app) => app.do<ReadReport>(together)));

  const all = { reads: READERS, waits: 0, stale: READERS, loads: [1], errors: [] };
  expect(reports).toMatchObject(apps.map(() => all));
  expect(await system.probe.calls({ stage: 'started' })).toHaveLength(2);
  await system.probe.openGate();
  for (const app of apps) {
    await expect.poll(async () => (await app.get('item', 'hot')).value.n).toBe(2);
  }
});

test('is loaded by another process when the one that loads it is killed', async ({ system }) => {
  const start = () => system.app(loaders, { lockTtl: '500ms' });
  const [one, two] = await Promise.all([start(), start()]);
  await one.get('item', 'hot');
  await system.probe.holdNext('reader');
  await expect
    .poll(async () => (await one.get('item', 'hot')).state, { timeout: 5_000, interval: 2_500 })
    .toBe('stale');
  await system.probe.call({ isHeld: true });
  await one.child.kill();

  // The second load died with its process.
  await expect
    .poll(async () => (await two.get('item', 'hot')).value.n, { timeout: 10_000 })
    .toBe(3);
  const pids = await system.probe.calls({ stage: 'started' });
  expect(pids.map(({ pid }) => pid)).toEqual([one.child.pid, one.child.pid, two.child.pid]);
});
