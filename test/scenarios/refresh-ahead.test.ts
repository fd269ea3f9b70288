import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeHeader, HEADER_BYTES } from '../../src/redis/entry.ts';
import { Keys } from '../../src/redis/keys.ts';
import type { Child } from '../helpers/child.ts';
import { type App, System } from '../helpers/system.ts';
import type { LoaderSpec } from '../processes/probed-loaders.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const READ_MS = 12 * SECOND;
const LIVES = 20;

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

interface Deploy {
  readonly app: App;
  readonly worker: Child;
}

async function deploy(loaders: readonly LoaderSpec[]): Promise<Deploy> {
  const [app, worker] = await Promise.all([
    system.app(loaders),
    system.everwarm('worker', loaders),
    system.everwarm('scheduler', loaders),
  ]);
  return { app, worker };
}

function deployTwo(): Promise<[Deploy, Deploy]> {
  // A skip by the other version's worker postpones a refresh by a tenth of the ttl, and nothing bounds how many
  // there are in a row: a lead of half the ttl outlasts five.
  const shape = { name: 'shape', ttl: '3s', loadMs: 50, refresh: { minLead: '1500ms' } } as const;
  return Promise.all([
    deploy([
      { name: 'steady', ttl: '1s', loadMs: 50 },
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
}

// A refresh starts 2 s before expiry: time for the dead worker's claim and lock to run out.
const mortal: LoaderSpec[] = [{ name: 'item', ttl: '3s', loadMs: 50, refresh: { minLead: '2s' } }];
const startMortal = (): Promise<Child> => failing.worker(mortal, { lockTtl: '500ms' });

function startFailing(): Promise<[App, Child, Child, Child]> {
  return Promise.all([
    failing.app(mortal, { lockTtl: '500ms' }),
    startMortal(),
    startMortal(),
    failing.scheduler(mortal, { claimTtl: '600ms' }),
  ]);
}

// Every process is up before the first read: where some still start meanwhile, a refresh can come too late
// for a ttl of a second on a slow machine.
let system: System;
let failing: System;
let started: {
  readonly deploys: readonly [Deploy, Deploy];
  readonly failing: readonly [App, Child, Child, Child];
};
beforeAll(async () => {
  [system, failing] = [new System(), new System()];
  const [deploys, mortals] = await Promise.all([deployTwo(), startFailing()]);
  started = { deploys, failing: mortals };
});
afterAll(async () => {
  await Promise.all([system, failing].map((one) => one.end()));
});

describe.concurrent('a key that is read steadily', () => {
  test('is refreshed ahead for 20 of its lives and never makes its reader wait', async () => {
    const [{ app, worker }] = started.deploys;

    const report = await app.read('steady', 'hot', LIVES * SECOND);

    expect(report).toMatchObject({ waits: 1, stale: 0, errors: [] });
    const calls = await system.probe.calls({ stage: 'started', loader: 'steady' });
    expect(calls[0]).toMatchObject({ reason: 'miss', pid: app.child.pid });
    const refreshes = calls.slice(1);
    // On a busy machine the reader may be faster now and then: it refreshes what is late, and waits for nothing.
    expect(refreshes.filter(({ pid }) => pid !== worker.pid).length).toBeLessThanOrEqual(3);
    expect(refreshes.filter(({ reason }) => reason !== 'refresh')).toEqual([]);
    // About one load per life.
    expect(calls.length).toBeGreaterThanOrEqual(15);
    expect(calls.length).toBeLessThanOrEqual(45);
    // What was loaded was read: the last one may have landed after the last read.
    expect(report.loads.length).toBeGreaterThanOrEqual(calls.length - 1);
  });

  test('stays warm while its worker is killed in mid-load, twice, and another takes over', async () => {
    const [app, ...others] = started.failing;
    const workers = others.slice(0, 2);
    const reading = app.read('item', 'hot', LIVES * SECOND);

    const dead: number[] = [];
    for (const after of [3, 8]) {
      await failing.probe.call({ stage: 'finished', reason: 'refresh' }, after);
      await failing.probe.holdNext('worker');
      const held = await failing.probe.call({ isHeld: true }, dead.length + 1);
      const holder = workers.find(({ pid }) => pid === held.pid);
      expect(await holder?.kill()).toEqual({ code: null, signal: 'SIGKILL' });
      dead.push(held.n);
      workers.push(await startMortal());
    }
    const report = await reading;

    expect(report).toMatchObject({ waits: 1, stale: 0, errors: [] });
    const finished = await failing.probe.calls({ stage: 'finished', reason: 'refresh' });
    const workerPids = workers.map(({ pid }) => pid);
    expect(finished.filter(({ pid }) => !workerPids.includes(pid))).toEqual([]);
    for (const n of dead) {
      expect(finished.filter((call) => call.n === n)).toEqual([]);
      expect(finished.filter((call) => call.n > n).length).toBeGreaterThan(0);
    }
  });
});

describe.concurrent('in one system', () => {
  test('keys of 1 s, 10 s, 5 min and a day are each refreshed in their own time', async () => {
    const [{ app }] = started.deploys;
    const names = ['second', 'ten-seconds', 'minutes', 'day'];

    const reports = await Promise.all(names.map((name) => app.read(name, 'hot', READ_MS)));

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
    const reports = await Promise.all(
      started.deploys.map(({ app }) => app.read('item', 'hot', READ_MS)),
    );

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
    const reports = await Promise.all(
      started.deploys.map(({ app }) => app.read('shape', 'hot', READ_MS)),
    );

    expect(reports.map(({ versions }) => versions)).toEqual([[1], [2]]);
    expect(reports.map(({ waits }) => waits)).toEqual([1, 1]);
    expect(reports.map(({ errors }) => errors)).toEqual([[], []]);
  });
});
