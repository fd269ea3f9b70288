import { DEFAULTS } from '../../src/config/defaults.ts';
import type { MakePolicy } from '../../src/simulate/policies.ts';
import type { PolicyResult } from '../../src/simulate/result.ts';
import { type Answer, Score, type Tally } from '../../src/simulate/score.ts';
import { Simulation, type SimulationSettings } from '../../src/simulate/simulation.ts';
import { TraceKeys } from '../../src/simulate/trace-keys.ts';
import { traceRows } from '../../src/simulate/trace-rows.ts';
import { Values } from '../../src/simulate/values.ts';

export interface Played {
  readonly answers: readonly Answer[];
  readonly tally: Tally;
}

/** Plays reads of one key, at these instants, to one policy: ttl 1,000 ms, load time 100 ms, no warm-up. */
export function play(
  make: MakePolicy,
  readsAtMs: readonly number[],
  { loadMs = 100, endMs = 100_000 }: { readonly loadMs?: number; readonly endMs?: number } = {},
): Played {
  const score = new Score({ countFromMs: 0, horizonMs: 10_000, hot: new Uint8Array(1) });
  const costs = { loadMs: Float64Array.of(loadMs), ttlMs: Float64Array.of(1_000) };
  const policy = make(new Values(costs, score));
  const answers = readsAtMs.map((atMs) => {
    const answer = policy.read(0, atMs);
    score.addRead(0, atMs, answer);
    return answer;
  });
  policy.finish(endMs);
  return { answers, tally: score.tally };
}

/** Runs every policy over a trace: ttl 1,000 ms, load time 100 ms. */
export function simulate(
  csv: string,
  settings: Partial<SimulationSettings> = {},
): ReadonlyMap<string, PolicyResult> {
  const ttl = settings.livesVary ? 'used' : 'ignored';
  const keys = new TraceKeys();
  const first = traceRows('trace', { ttl }, keys.add.bind(keys));
  first.push(csv);
  first.end();
  const simulation = new Simulation(keys, {
    ...DEFAULTS,
    ttlMs: 1_000,
    livesVary: false,
    loadMs: 100,
    loadTimes: new Map(),
    thresholds: [],
    wasteBudgets: [],
    ...settings,
  });
  const second = traceRows('trace', { ttl }, simulation.read.bind(simulation));
  second.push(csv);
  second.end();
  return simulation.finish();
}

/** Reads at these instants as a trace. */
export function traceOf(reads: readonly (readonly [tMs: number, key: string])[]): string {
  return `t_ms,key_id\n${reads.map((read) => read.join(',')).join('\n')}\n`;
}

/** Every so many ms, from 0 up to an instant. */
export function every(ms: number, untilMs: number): number[] {
  return Array.from({ length: Math.ceil(untilMs / ms) }, (_, at) => at * ms);
}
