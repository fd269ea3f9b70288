import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, System } from '../helpers/system.ts';
import type { ReadReport } from '../processes/app.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const PROCESSES = 4;
const READERS = 250;
const ALL = PROCESSES * READERS;
const loaders: LoaderSpec[] = [{ name: 'item', ttl: '1m' }];

// The same processes for all tests, each with a key of its own; the last one kills one of them.
let system: System;
let apps: App[];
beforeAll(async () => {
  system = new System();
  const start = () => system.app(loaders, { lockTtl: '500ms' });
  apps = await Promise.all(Array.from({ length: PROCESSES }, start));
});
afterAll(() => system.end());

/** Every process starts its readers of one key at once, on the same message. */
function readTogether(key: string): Promise<ReadReport>[] {
  const command = { do: 'read-together', loader: 'item', key, times: READERS } as const;
  return apps.map((app) => app.do<ReadReport>(command));
}

const misses = (): Promise<number[]> =>
  Promise.all(apps.map((app) => app.do<number>({ do: 'count-misses' })));

/** Readers at a held key, all of which have found it missing: whoever does not load waits for whoever does. */
async function readMissing(key: string): Promise<Promise<ReadReport>[]> {
  const before = await misses();
  await system.probe.holdNext('reader');
  const reading = readTogether(key);
  await expect.poll(misses).toEqual(before.map((count) => count + READERS));
  return reading;
}

const numbersOf = async (key: string): Promise<number[]> =>
  (await system.probe.calls({ stage: 'started', key })).map(({ n }) => n);

test('loads once for 1,000 readers of a missing key in 4 processes', async () => {
  const reading = await readMissing('held');
  await system.probe.openGate();
  const reports = await Promise.all(reading);

  const loads = await numbersOf('held');
  expect(loads).toHaveLength(1);
  expect(reports).toMatchObject(apps.map(() => ({ loads, errors: [] })));
  expect(reports.reduce((sum, { waits }) => sum + waits, 0)).toBe(ALL);
});

test('loads once for 1,000 readers when the origin answers at once', async () => {
  const reports = await Promise.all(readTogether('quick'));

  const loads = await numbersOf('quick');
  expect(loads).toHaveLength(1);
  expect(reports).toMatchObject(apps.map(() => ({ reads: READERS, loads })));
});

test('loads once more when the process that loads is killed, and the others go on', async () => {
  const reading = await readMissing('orphaned');
  const { pid } = await system.probe.call({ isHeld: true, key: 'orphaned' });
  const holder = apps.findIndex(({ child }) => child.pid === pid);
  await apps[holder]?.child.kill();
  const reports = await Promise.allSettled(reading);

  const [, second, ...more] = await numbersOf('orphaned');
  expect(more).toEqual([]);
  expect(reports[holder]?.status).toBe('rejected');
  const others = reports.filter((report) => report.status === 'fulfilled');
  expect(others.map(({ value }) => value)).toEqual(
    Array.from({ length: PROCESSES - 1 }, () =>
      expect.objectContaining({ reads: READERS, loads: [second], errors: [] }),
    ),
  );
});
