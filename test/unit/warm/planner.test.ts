import { describe, expect, test } from 'vitest';
import {
  defineLoader,
  defineWarmUp,
  type WarmUp,
  type WarmUpDefinition,
} from '../../../src/index.ts';
import type { WarmUpJobData } from '../../../src/queue/warm-up-job.ts';
import { Planner } from '../../../src/warm/planner.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => id });

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (text: string): number => Date.parse(text);

function plan(changed: Partial<WarmUpDefinition<string>>): WarmUp {
  const name = 'plan';
  return defineWarmUp({ name, loader: item, timezone: 'Europe/Berlin', keys: [], ...changed });
}

/** The runs that a planner adds which looks at every minute, or ten of them, between these instants, and knows what the last run took. */
async function added(
  one: WarmUp,
  [from, to]: readonly [string, string],
  tookMs: number | null = null,
): Promise<(WarmUpJobData & { runId: string; addedAt: string })[]> {
  const runs: (WarmUpJobData & { runId: string; addedAt: string })[] = [];
  let nowMs = at(from);
  const planner = new Planner({
    plans: [one],
    queue: {
      add: async (runId, data) => {
        runs.push({ ...data, runId, addedAt: new Date(nowMs).toISOString().slice(0, 16) });
      },
    },
    runs: { tookMs: async () => tookMs },
    clock: { now: () => nowMs },
  });
  const stepMs = at(to) - at(from) > DAY_MS ? 600_000 : 60_000;
  for (; nowMs <= at(to); nowMs += stepMs) await planner.tick();
  return runs;
}

const starts = async (...args: Parameters<typeof added>): Promise<string[]> =>
  (await added(...args)).map(({ addedAt }) => addedAt);

describe('a plan starts', () => {
  const monday = ['2026-11-23T04:00Z', '2026-11-23T12:00Z'] as const;

  test('when its schedule says, without a peak', async () => {
    const [run, ...others] = await added(plan({ schedule: '30 8 * * 1-5' }), monday);
    expect(run).toMatchObject({ addedAt: '2026-11-23T07:30', peakAtMs: null, by: 'schedule' });
    expect(others).toEqual([]);
  });

  test('when its schedule says, a lead before its peak', async () => {
    const [run] = await added(plan({ schedule: '30 8 * * *', leadTime: '45m' }), monday);
    expect(run).toMatchObject({ addedAt: '2026-11-23T07:30', peakAtMs: at('2026-11-23T08:15Z') });
  });

  test('when its schedule says, with the next peak', async () => {
    const [run] = await added(plan({ schedule: '30 8 * * *', peakAt: '09:00' }), monday);
    expect(run).toMatchObject({ addedAt: '2026-11-23T07:30', peakAtMs: at('2026-11-23T08:00Z') });
  });

  test('a lead before a peak of its schedule’s days', async () => {
    const one = plan({ schedule: '30 8 * * 1-5', peakAt: '09:00', leadTime: '20m' });
    const week = ['2026-11-20T12:00Z', '2026-11-24T12:00Z'] as const;
    expect(await starts(one, week)).toEqual(['2026-11-23T07:40', '2026-11-24T07:40']);
  });

  test('a lead before its peak', async () => {
    const [run] = await added(plan({ peakAt: '0 9 * * 1-5', leadTime: '2h' }), monday);
    expect(run).toMatchObject({
      addedAt: '2026-11-23T06:00',
      startAtMs: at('2026-11-23T06:00Z'),
      peakAtMs: at('2026-11-23T08:00Z'),
      runId: 'plan.2026-11-23T0900-E0100',
    });
  });

  test('half as long again before its peak as its last run took', async () => {
    const one = plan({ peakAt: '09:00' });
    expect(await starts(one, monday)).toEqual(['2026-11-23T07:45']);
    expect(await starts(one, monday, 2 * 60_000)).toEqual(['2026-11-23T07:57']);
    expect(await starts(one, monday, HOUR_MS)).toEqual(['2026-11-23T06:30']);
    expect(await starts(one, monday, 1)).toEqual(['2026-11-23T07:59']);
  });
});

describe('across a clock change', () => {
  test('a daily plan runs once a local day, in the gap at its end', async () => {
    const spring = ['2026-03-27T12:00Z', '2026-03-30T12:00Z'] as const;
    const daily = plan({ schedule: '30 2 * * *' });
    expect(await starts(daily, spring)).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ]);
    const autumn = ['2026-10-24T12:00Z', '2026-10-26T12:00Z'] as const;
    expect(await starts(daily, autumn)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
  });

  test('a run’s name tells the two hours of the overlap apart', async () => {
    const runs = await added(plan({ schedule: '0 * * * *' }), [
      '2026-10-24T23:30Z',
      '2026-10-25T02:30Z',
    ]);
    expect(runs.map(({ runId }) => runId)).toEqual([
      'plan.2026-10-25T0100-E0200',
      'plan.2026-10-25T0200-E0200',
      'plan.2026-10-25T0200-E0100',
      'plan.2026-10-25T0300-E0100',
    ]);
  });
});

describe('a time that passed while nobody was there', () => {
  const morning = plan({ schedule: '30 8 * * *', timezone: 'UTC' });

  test('is made up for once, within the catch-up window', async () => {
    const late = ['2026-11-23T09:29Z', '2026-11-23T20:00Z'] as const;
    expect(await starts(morning, late)).toEqual(['2026-11-23T09:29']);
  });

  test('is not made up for after it', async () => {
    const late = ['2026-11-23T09:31Z', '2026-11-23T20:00Z'] as const;
    expect(await starts(morning, late)).toEqual([]);
    const patient = plan({ schedule: '30 8 * * *', timezone: 'UTC', catchUp: '5h' });
    expect(await starts(patient, late)).toEqual(['2026-11-23T09:31']);
  });

  test('is made up for once also where several passed', async () => {
    const hourly = plan({ schedule: '0 * * * *', catchUp: '5h' });
    const [run, next] = await added(hourly, ['2026-11-23T09:30Z', '2026-11-23T10:00Z']);
    expect(run).toMatchObject({ startAtMs: at('2026-11-23T09:00Z') });
    expect(next).toMatchObject({ startAtMs: at('2026-11-23T10:00Z') });
  });
});

test('a run that could not be added is added by the next tick, once', async () => {
  const runs: string[] = [];
  let isAway = true;
  const planner = new Planner({
    plans: [plan({ schedule: '30 8 * * *' })],
    queue: {
      add: async (runId) => {
        if (isAway) throw new Error('away');
        runs.push(runId);
      },
    },
    runs: { tookMs: async () => null },
    clock: { now: () => at('2026-11-23T07:30:05Z') },
  });
  await expect(planner.tick()).rejects.toThrow('away');
  isAway = false;
  await planner.tick();
  await planner.tick();
  expect(runs).toEqual(['plan.2026-11-23T0830-E0100']);
});

test('a clock that is set back starts nothing again under another name', async () => {
  const runs: string[] = [];
  let nowMs = at('2026-11-23T07:31Z');
  const planner = new Planner({
    plans: [plan({ schedule: '30 8 * * *' })],
    queue: { add: async (runId) => void runs.push(runId) },
    runs: { tookMs: async () => null },
    clock: { now: () => nowMs },
  });
  await planner.tick();
  nowMs -= 600_000;
  await planner.tick();
  nowMs += 600_000;
  await planner.tick();
  expect(new Set(runs).size).toBe(1);
});
