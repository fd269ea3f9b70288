import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/config/defaults.ts';
import { Simulation } from '../../../src/simulate/simulation.ts';
import { TraceKeys } from '../../../src/simulate/trace-keys.ts';
import { every, simulate, traceOf } from '../../helpers/simulating.ts';

const POLICIES = [
  'plain',
  'staleWhileRevalidate',
  'refreshAt80',
  'refreshAt90',
  'xfetch1',
  'xfetch2',
  'timer',
  'everwarm',
  'oracle',
];

describe('a simulation', () => {
  test('tells the policies in one order', () => {
    const trace = traceOf(every(100, 4_000).map((tMs) => [tMs, 'a']));

    expect([...simulate(trace).keys()]).toEqual(POLICIES);
    const compared = simulate(trace, { thresholds: [5, 2.5] });
    expect([...compared.keys()].slice(8, 10)).toEqual(['everwarm@5', 'everwarm@2.5']);
  });

  test('counts nothing of the first two ttl', () => {
    // Loads at 0, 1,100 and 2,300; the last life is over at 3,400.
    const reads = [0, 50, 1_100, 1_150, 2_300, 2_350, 3_399];
    const plain = simulate(traceOf(reads.map((tMs) => [tMs, 'a']))).get('plain');

    expect(plain).toMatchObject({ originLoads: 1, waitPercent: 66.67 });
  });

  test('begins the time of a trace with its first read', () => {
    const from = (startMs: number) =>
      simulate(traceOf(every(70, 9_000).map((tMs) => [startMs + tMs, 'a'])));

    expect(from(1_790_000_000_000)).toEqual(from(0));
  });

  test('calls hot what is read at least twice per ttl on average', () => {
    const hot = every(500, 10_001).map((tMs) => [tMs, 'hot'] as const);
    const cold = every(1_250, 10_001).map((tMs) => [tMs, 'cold'] as const);
    const reads = [...hot, ...cold].sort(([a], [b]) => a - b);
    const plain = simulate(traceOf(reads)).get('plain');

    // Of the hot key every third read waits, of the cold one every read: 5 of 17 and 7 of 7.
    expect(plain).toMatchObject({ hotWaitPercent: 29.41, waitPercent: 50 });
    expect(simulate(traceOf(cold)).get('plain')?.hotWaitPercent).toBeNull();
  });

  test('refuses a trace that is over before there is anything to count', () => {
    expect(() =>
      simulate(
        traceOf([
          [0, 'a'],
          [2_000, 'a'],
        ]),
      ),
    ).toThrow(
      'the trace covers 2000 ms, and the first 2000 ms (two ttl) are warm-up: nothing is left to count',
    );
  });

  test('takes load times of keys', () => {
    const reads = every(100, 4_000).map((tMs) => [tMs, 'a'] as const);
    const loadTimes = new Map([['a', 350]]);

    // Waits at 2,700, 2,800, 2,900 and 3,000, where the next life begins at 3,050.
    expect(simulate(traceOf(reads), { loadTimes }).get('plain')?.waitPercent).toBe(20);
  });

  test('takes the ttl of each read, where it has one', () => {
    const rows = every(100, 6_000).map((tMs) => `${tMs},a,${tMs === 0 ? '' : 0.5}`);
    const trace = `t_ms,key_id,ttl_s\n${rows.join('\n')}`;

    // A load every 600 ms instead of every 1,100, once the first life is over.
    expect(simulate(trace, { livesVary: true }).get('plain')?.originLoads).toBe(7);
    expect(simulate(trace).get('plain')?.originLoads).toBe(4);
  });

  test('finds the order of policies that is known of a recorded trace', () => {
    const file = new URL('../../../examples/demo/traces/dns_wrccdc_21m.csv.gz', import.meta.url);
    const settings = { ttlMs: 60_000, loadMs: 200, thresholds: [5] };
    const results = simulate(gunzipSync(readFileSync(file)).toString(), settings);
    const get = (name: string) => {
      const result = results.get(name);
      return {
        waits: result?.waitPercent ?? 0,
        extra: result?.extraLoadsPercent ?? 0,
        of: result?.ofOraclePercent ?? 0,
      };
    };

    // By an independent count of waits and loads.
    expect(results.get('plain')).toMatchObject({ originLoads: 4_579, waitPercent: 25.89 });
    expect(get('refreshAt80').of).toBeCloseTo(29, -0.5);
    expect(get('refreshAt80').extra).toBeCloseTo(5, 0);
    expect(get('everwarm').of).toBeGreaterThan(50);
    expect(get('everwarm').waits).toBeLessThan(get('refreshAt80').waits);
    expect(get('everwarm@5').waits).toBeLessThan(get('everwarm').waits);
    expect(get('timer').extra).toBeGreaterThan(90);
    expect(get('xfetch1').extra).toBeLessThan(1);
  });

  test('keeps nothing of a read', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const usedBytes = (): number => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const keys = new TraceKeys();
    const reads = 300_000;
    for (let read = 0; read < reads; read++) keys.add(read, `key ${read % 500}`, 0);
    const none = { loadTimes: new Map(), thresholds: [], wasteBudgets: [] };
    const settings = { ...DEFAULTS, ttlMs: 10_000, livesVary: false, loadMs: 100 };
    const simulation = new Simulation(keys, { ...settings, ...none });
    const playUntil = (from: number, to: number): void => {
      for (let read = from; read < to; read++) simulation.read(read, `key ${read % 500}`, 0);
    };
    playUntil(0, 60_000);
    const before = usedBytes();
    playUntil(60_000, reads);

    // A hundred times less than a word for each read and policy.
    expect(usedBytes() - before).toBeLessThan(500_000);
  });
});
