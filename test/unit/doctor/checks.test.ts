import { expect, test } from 'vitest';
import { clockCheck } from '../../../src/doctor/clock-check.ts';
import { loaderChecks } from '../../../src/doctor/loader-checks.ts';
import { planChecks } from '../../../src/doctor/plan-checks.ts';
import { type LookedAt, memoryCheck, serverChecks } from '../../../src/doctor/server-checks.ts';
import { defineLoader, defineWarmUp, type LoaderDefinition } from '../../../src/index.ts';
import { LoaderRegistry } from '../../../src/loaders/registry.ts';
import type { LoaderStatus } from '../../../src/observe/loader-status.ts';

const NOW_MS = 1_700_000_000_000;

const status: LoaderStatus = {
  loader: 'item',
  version: 1,
  atMs: NOW_MS,
  mode: 'active',
  pausedAtMs: null,
  trackedKeys: 200,
  hotKeys: 100,
  failingKeys: 0,
  threshold: 8,
  load: { meanMs: 100, deviationMs: 20 },
  queueWait: null,
  backlogKeys: 0,
  lives: { used: 0, wasted: 0 },
  reads: null,
  loads: { loadsPerSecond: 0, landedPerSecond: 0, late: 0, leadMs: null },
  origin: null,
  seen: { schedulerAtMs: NOW_MS - 1_000, shadowAtMs: null, workerAtMs: NOW_MS - 1_000 },
};

/** What is not fine of a loader, by name. */
function troubles(
  definition: Partial<LoaderDefinition<string, string>>,
  changed: Partial<LoaderStatus> = {},
): Record<string, string> {
  const loader = defineLoader({
    name: 'item',
    ttl: '10s',
    load: (id: string) => id,
    ...definition,
  });
  const checks = loaderChecks(loader, { ...status, ...changed });
  for (const { ok, fix } of checks) expect(fix === null).toBe(ok === true);
  const wrong = checks.filter(({ ok }) => ok !== true);
  return Object.fromEntries(wrong.map(({ name, ok, message }) => [name, `${ok}: ${message}`]));
}

test('a loader whose roles are there and whose loads are short is fine', () => {
  expect(troubles({})).toEqual({});
});

test.for<[what: string, changed: Partial<LoaderStatus>, expected: object]>([
  [
    'a scheduler that was never seen',
    { seen: { ...status.seen, schedulerAtMs: null } },
    { 'scheduler of item': 'false: was never seen: nothing is refreshed ahead' },
  ],
  [
    'a worker that has gone',
    { seen: { ...status.seen, workerAtMs: NOW_MS - 60_000 } },
    { 'worker of item': 'false: was last seen 60.0 s ago: nothing is refreshed ahead' },
  ],
  [
    'schedulers in shadow mode alone',
    { seen: { ...status.seen, schedulerAtMs: null, shadowAtMs: NOW_MS } },
    { 'scheduler of item': expect.stringMatching(/^warning: only schedulers in shadow mode/) },
  ],
  [
    'a pause',
    { pausedAtMs: NOW_MS - 30_000 },
    { 'pause of item': 'warning: its refreshing has been paused for 30.0 s' },
  ],
  [
    'loads that take over half of the ttl',
    { load: { meanMs: 4_000, deviationMs: 600 } },
    { 'load time of item': expect.stringContaining('19 of 20 loads take up to 5.2 s; ttl 10.0 s') },
  ],
])('%s is found', ([, changed, expected]) => {
  expect(troubles({}, changed)).toEqual(expected);
});

test('no role is missed where nothing is refreshed', () => {
  const seen = { schedulerAtMs: null, shadowAtMs: null, workerAtMs: null };
  expect(troubles({ refresh: false }, { seen })).toEqual({});
});

test('an origin whose rate or concurrency is too small for the hot keys is found', () => {
  const rate = (max: number) => ({ origin: { rate: { max, per: '1s' } } }) as const;
  // 100 hot keys each 10 s: 10 calls a second, of which refreshes may make 80 %.
  expect(troubles(rate(13))).toEqual({});
  expect(troubles(rate(10))).toEqual({
    'origin of item':
      'warning: 100 hot keys need 10.00 calls a second, refreshes may make 8.00: 20 % of them become misses',
  });
  expect(troubles({ limit: { max: 5, per: '1s' } })).toHaveProperty(['origin of item']);
  expect(troubles({ origin: { concurrency: 2 } })).toEqual({});
  expect(troubles({ origin: { concurrency: 1 } }, { hotKeys: 101 })).toHaveProperty([
    'origin of item',
  ]);
  const loadMany = async (ids: readonly string[]) => ids;
  expect(troubles({ ...rate(10), loadMany })).toEqual({});
});

test('clocks that are more than a second apart are found', () => {
  const at = (where: string, offsetMs: number) => ({ where, offsetMs });
  expect(clockCheck([at('a', 20), at('b', -40)])).toMatchObject({ ok: true });
  expect(clockCheck([at('a', 20), at('b', -90_000)])).toMatchObject({
    ok: 'warning',
    message: "the clock of b is 90.0 s behind this machine's",
    fix: expect.stringContaining('chrony'),
  });
});

function server(role: 'cache' | 'queue', facts: Record<string, string>): LookedAt {
  const masters = [{ facts: { redis_version: '7.0.0', ...facts } }];
  return { role, where: 'redis://x', masters, offsetMs: 0 } as unknown as LookedAt;
}

test.for<[used: number, ok: unknown]>([
  [79, true],
  [81, 'warning'],
  [96, false],
])('a queue server that is %i %% full is %s', ([used, ok]) => {
  const facts = { maxmemory: '100', used_memory: String(used) };
  expect(memoryCheck(server('queue', facts)).ok).toBe(ok);
});

test('an old server is found, and a cache that cannot make room', () => {
  const facts = { redis_version: '5.0.9', maxmemory: '100', maxmemory_policy: 'noeviction' };
  expect(serverChecks(server('cache', facts))).toMatchObject([
    { name: 'cache version', ok: false, fix: 'upgrade Redis' },
    { name: 'cache eviction', ok: false, fix: expect.stringContaining('allkeys-lfu') },
  ]);
  const evicting = { maxmemory: '100', maxmemory_policy: 'allkeys-lru' };
  expect(serverChecks(server('cache', evicting)).map(({ ok }) => ok)).toEqual([true, true]);
});

const item = defineLoader({ name: 'item', ttl: '1m', load: (id: string) => id });
const plan = (name: string, schedule: string) =>
  defineWarmUp({ name, loader: item, schedule, timezone: 'UTC', keys: ['a'] });

test('warm-ups are told with their next run, or why there is none', async () => {
  const failed = { outcome: 'failed', error: 'no database' };
  const runs = {
    tookMs: async () => null,
    last: async (name: string) => (name === 'fails' ? failed : null),
  };
  const parts = { runs: runs as never, nowMs: NOW_MS, loaders: new LoaderRegistry([item]) };

  const warmUps = [plan('daily', '30 8 * * *'), plan('fails', '0 9 * * *')];
  expect(await planChecks({ ...parts, warmUps })).toMatchObject([
    {
      name: 'warm-up daily',
      ok: true,
      message: expect.stringContaining('runs next at 2023-11-15T08:30'),
    },
    { name: 'warm-up fails', ok: 'warning', message: expect.stringContaining('no database') },
  ]);
  const twice = [plan('daily', '30 8 * * *'), plan('daily', '0 9 * * *')];
  expect(await planChecks({ ...parts, warmUps: twice })).toMatchObject([
    { name: 'warm-ups', ok: false, message: expect.stringContaining('names must be unique') },
  ]);
});
