import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeHeader, HEADER_BYTES } from '../../src/redis/entry.ts';
import { Keys } from '../../src/redis/keys.ts';
import { type App, System } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const READ_MS = 12 * SECOND;

/** Half-life of a loader's heat. */
const halfLifeOf = (ttlMs: number): number => 4 * ttlMs;

async function expiryOf(name: string): Promise<number> {
  const entryKey = new Keys(system.namespace).entry({ name, version: 1 }, 'hot');
  const header = decodeHeader(await system.redis.getrangeBuffer(entryKey, 0, HEADER_BYTES - 1));
  return header?.expiresAtMs ?? 0;
}

function trackerKeys(name: string, ttlMs: number) {
  return new Keys(system.namespace).tracker({ name, version: 1 }, halfLifeOf(ttlMs));
}

/** Reader, worker and scheduler of one deploy. */
async function deploy(loaders: readonly LoaderSpec[]): Promise<App> {
  const [app] = await Promise.all([
    system.app(loaders),
    system.worker(loaders),
    system.scheduler(loaders),
  ]);
  return app;
}

// Two deploys for all, and every process is up before the first read: where others of these tests still
// started theirs meanwhile, a refresh could come too late for a ttl of a second on a slow machine.
let system: System;
let one: App;
let two: App;
beforeAll(async () => {
  system = new System();
  // A skip by the other version's worker postpones a refresh by a tenth of the ttl, and nothing bounds how many
  // there are in a row: a lead of half the ttl outlasts five.
  const shape = { name: 'shape', ttl: '3s', loadMs: 50, refresh: { minLead: '1500ms' } } as const;
  [one, two] = await Promise.all([
    deploy([
      { name: 'second', ttl: '1s', refresh: { minLead: '400ms' } },
      { name: 'ten-seconds', ttl: '10s' },
      { name: 'minutes', ttl: '5m' },
      { name: 'day', ttl: '1d' },
      { name: 'item', ttl: '1s', loadMs: 50, refresh: { minLead: '400ms' } },
      { ...shape, version: 1 },
    ]),
    deploy([
      { name: 'item', ttl: '3s', loadMs: 50, refresh: { minLead: '1s' } },
      { ...shape, version: 2 },
    ]),
  ]);
});
afterAll(() => system.end());

describe.concurrent('in one system', () => {
  test('keys of 1 s, 10 s, 5 min and a day are each refreshed in their own time', async () => {
    const names = ['second', 'ten-seconds', 'minutes', 'day'];

    const reports = await Promise.all(names.map((name) => one.read(name, 'hot', READ_MS)));

    expect(reports.map(({ waits }) => waits)).toEqual([1, 1, 1, 1]);
    const loads = await Promise.all(
      names.map((loader) => system.probe.calls({ stage: 'started', loader })),
    );
    expect(loads[0]?.length).toBeGreaterThanOrEqual(9);
    expect(loads[0]?.length).toBeLessThanOrEqual(27);
    expect(loads[1]).toHaveLength(2);
    expect(loads[2]).toHaveLength(1);
    expect(loads[3]).toHaveLength(1);
    // The long ones are looked at when half of their life is over.
    for (const [name, ttlMs] of [
      ['minutes', 5 * MINUTE],
      ['day', DAY],
    ] as const) {
      const due = await system.redis.zscore(trackerKeys(name, ttlMs).due, 'hot');
      expect(Math.abs(Number(due) - ((await expiryOf(name)) - ttlMs / 2))).toBeLessThan(SECOND);
    }
  });

  test('two deploys with different ttls of one loader both stay warm, their heats apart', async () => {
    const reports = await Promise.all([one, two].map((app) => app.read('item', 'hot', READ_MS)));

    for (const report of reports) {
      expect(report.waits).toBeLessThanOrEqual(1);
      expect(report).toMatchObject({ stale: 0, errors: [] });
    }
    for (const ttlMs of [SECOND, 3 * SECOND]) {
      const { heat } = trackerKeys('item', ttlMs);
      // About 600 reads at most: log2 of a heat of the other half-life would be off by millions.
      const logHeat = Number(await system.redis.zscore(heat, 'hot'));
      const logReads = logHeat - Date.now() / halfLifeOf(ttlMs);
      expect(logReads).toBeGreaterThan(2);
      expect(logReads).toBeLessThan(12);
    }
  });

  test('two versions of one loader both stay warm, each with its own shape', async () => {
    const reports = await Promise.all([one, two].map((app) => app.read('shape', 'hot', READ_MS)));

    expect(reports.map(({ versions }) => versions)).toEqual([[1], [2]]);
    expect(reports.map(({ waits }) => waits)).toEqual([1, 1]);
    expect(reports.map(({ errors }) => errors)).toEqual([[], []]);
  });
});
