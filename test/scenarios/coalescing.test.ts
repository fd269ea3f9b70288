import { expect } from 'vitest';
import { type App, type System, test } from '../helpers/system.ts';
import type { ReadReport } from '../processes/app.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const PROCESSES = 4;
const READERS = 250;
const ALL = PROCESSES * READERS;
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1m' }];

async function startApps(system: System): Promise<App[]> {
  const start = () => system.app(loaders, { lockTtl: '500ms' });
  return Promise.all(Array.from({ length: PROCESSES }, start));
}

/** Every process starts its readers of one key at once, on the same message. */
function readTogether(apps: readonly App[]): Promise<ReadReport>[] {
  const command = { do: 'read-together', loader: 'item', key: 'missing', times: READERS } as const;
  return apps.map((app) => app.do<ReadReport>(command));
}

/** All readers have found the key missing: whoever does not load waits for whoever does. */
async function untilAllMissed(apps: readonly App[]): Promise<void> {
  const missed = () => Promise.all(apps.map((app) => app.do<number>({ do: 'count-misses' })));
  await expect.poll(missed).toEqual(apps.map(() => READERS));
}

test('loads once for 1,000 readers of a missing key in 4 processes', async ({ system }) => {
  const apps = await startApps(system);
  await system.probe.holdNext('reader');

  const reading = readTogether(apps);
  await untilAllMissed(apps);
  await system.probe.openGate();
  const reports = await Promise.all(reading);

  expect(await system.probe.calls({ stage: 'started' })).toHaveLength(1);
  expect(reports.map(({ loads }) => loads)).toEqual(apps.map(() => [1]));
  expect(reports.map(({ errors }) => errors)).toEqual(apps.map(() => []));
  expect(reports.reduce((sum, { waits }) => sum + waits, 0)).toBe(ALL);
});

test('loads once for 1,000 readers when the origin answers at once', async ({ system }) => {
  const apps = await startApps(system);

  const reports = await Promise.all(readTogether(apps));

  expect(await system.probe.calls({ stage: 'started' })).toHaveLength(1);
  expect(reports.map(({ loads }) => loads)).toEqual(apps.map(() => [1]));
  expect(reports.map(({ reads }) => reads)).toEqual(apps.map(() => READERS));
});

test('loads once more when the process that loads is killed, and the others go on', async ({
  system,
}) => {
  const apps = await startApps(system);
  await system.probe.holdNext('reader');

  const reading = readTogether(apps);
  await untilAllMissed(apps);
  const { pid } = await system.probe.call({ isHeld: true });
  const holder = apps.findIndex(({ child }) => child.pid === pid);
  await apps[holder]?.child.kill();
  const reports = await Promise.allSettled(reading);

  expect(reports[holder]?.status).toBe('rejected');
  const others = reports.filter((report) => report.status === 'fulfilled');
  expect(others.map(({ value }) => value)).toEqual(
    Array.from({ length: PROCESSES - 1 }, () =>
      expect.objectContaining({ reads: READERS, loads: [2], errors: [] }),
    ),
  );
  expect(await system.probe.calls({ stage: 'started' })).toHaveLength(2);
});
