import { describe, expect } from 'vitest';
import { decodeHeader, HEADER_BYTES } from '../../src/redis/entry.ts';
import { Keys } from '../../src/redis/keys.ts';
import { type App, type System, test } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Half-life of a loader's heat. */
const halfLifeOf = (ttlMs: number): number => 4 * ttlMs;

async function expiryOf(system: System, name: string): Promise<number> {
  const entryKey = new Keys(system.namespace).entry({ name, version: 1 }, 'hot');
  const header = decodeHeader(await system.redis.getrangeBuffer(entryKey, 0, HEADER_BYTES - 1));
  return header?.expiresAtMs ?? 0;
}

function trackerKeys(system: System, name: string, ttlMs: number) {
  return new Keys(system.namespace).tracker({ name, version: 1 }, halfLifeOf(ttlMs));
}

/** Reader, worker and scheduler of one deploy. */
async function deploy(system: System, loaders: readonly LoaderSpec[]): Promise<App> {
  const [app] = await Promise.all([
    system.app(loaders),
    system.worker(loaders),
    system.scheduler(loaders),
  ]);
  return app;
}

describe.concurrent('in one system', () => {
  test('keys of 1 s, 10 s, 5 min and a day are each refreshed in their own time', async ({
    system,
  }) => {
    const app = await deploy(system, [
      { name: 'second', ttl: '1s', refresh: { minLead: '300ms' } },
      { name: 'ten-seconds', ttl: '10s' },
      { name: 'minutes', ttl: '5m' },
      { name: 'day', ttl: '1d' },
    ]);
    const names = ['second', 'ten-seconds', 'minutes', 'day'];

    const reports = await Promise.all(names.map((name) => app.read(name, 'hot', 12 * SECOND)));

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
      const due = await system.redis.zscore(trackerKeys(system, name, ttlMs).due, 'hot');
      expect(Math.abs(Number(due) - ((await expiryOf(system, name)) - ttlMs / 2))).toBeLessThan(
        SECOND,
      );
    }
  });

  test('two deploys with different ttls of one loader both stay warm, their heats apart', async ({
    system,
  }) => {
    const [short, long] = await Promise.all([
      deploy(system, [{ name: 'item', ttl: '1s', loadMs: 50 }]),
      deploy(system, [{ name: 'item', ttl: '3s', loadMs: 50 }]),
    ]);

    const reports = await Promise.all(
      [short, long].map((app) => app.read('item', 'hot', 10 * SECOND)),
    );

    for (const report of reports) {
      expect(report.waits).toBeLessThanOrEqual(1);
      expect(report).toMatchObject({ stale: 0, errors: [] });
    }
    for (const ttlMs of [SECOND, 3 * SECOND]) {
      const { heat } = trackerKeys(system, 'item', ttlMs);
      // About 600 reads at most: log2 of a heat of the other half-life would be off by millions.
      const logHeat = Number(await system.redis.zscore(heat, 'hot'));
      const logReads = logHeat - Date.now() / halfLifeOf(ttlMs);
      expect(logReads).toBeGreaterThan(2);
      expect(logReads).toBeLessThan(12);
    }
  });

  test('two versions of one loader both stay warm, each with its own shape', async ({ system }) => {
    const [one, two] = await Promise.all([
      deploy(system, [{ name: 'item', ttl: '1s', loadMs: 50, version: 1 }]),
      deploy(system, [{ name: 'item', ttl: '1s', loadMs: 50, version: 2 }]),
    ]);

    const reports = await Promise.all(
      [one, two].map((app) => app.read('item', 'hot', 10 * SECOND)),
    );

    expect(reports.map(({ versions }) => versions)).toEqual([[1], [2]]);
    expect(reports.map(({ waits }) => waits)).toEqual([1, 1]);
    expect(reports.map(({ errors }) => errors)).toEqual([[], []]);
  });
});
