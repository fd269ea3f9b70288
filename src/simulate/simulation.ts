import { EverwarmError } from '../core/errors.ts';
import { Everwarm, type EverwarmSettings } from './everwarm.ts';
import { afterShare, never, OnRead, perReadXfetch } from './on-read.ts';
import { Oracle } from './oracle.ts';
import type { Policy } from './policy.ts';
import { seededRandom } from './random.ts';
import { type PolicyResult, resultOf } from './result.ts';
import { Score } from './score.ts';
import { fixedThreshold } from './threshold-course.ts';
import { Timers } from './timers.ts';
import type { TraceKeys } from './trace-keys.ts';
import { type Costs, Values } from './values.ts';

export interface SimulationSettings extends Omit<EverwarmSettings, 'threshold'> {
  /** Of keys that `loadTimes` does not name. */
  readonly loadMs: number;
  readonly loadTimes: ReadonlyMap<string, number>;
  readonly threshold: number;
  /** Fixed thresholds to compare with. */
  readonly thresholds: readonly number[];
}

const WARM_UP_TTLS = 2;
const XFETCH_SEED = 1;

interface Run {
  readonly name: string;
  readonly policy: Policy;
  readonly score: Score;
}

type MakePolicy = (values: Values) => Policy;

/** Plays the reads of one trace to every policy at once. Memory grows with keys, not with reads. */
export class Simulation {
  readonly #keys: TraceKeys;
  readonly #warmUpMs: number;
  readonly #costs: Costs;
  readonly #runs: readonly Run[];

  /** @throws EverwarmError when the trace is over before the warm-up is */
  constructor(keys: TraceKeys, settings: SimulationSettings) {
    const { ttlMs, loadMs, loadTimes } = settings;
    const warmUpMs = WARM_UP_TTLS * ttlMs;
    this.#warmUpMs = warmUpMs;
    if (keys.spanMs <= warmUpMs) {
      const what = `the trace covers ${keys.spanMs} ms, and the first ${warmUpMs} ms (two ttl) are warm-up`;
      throw new EverwarmError('TRACE_FILE', `${what}: nothing is left to count`);
    }
    this.#keys = keys;
    this.#costs = {
      loadMs: Float64Array.from(keys.texts, (key) => loadTimes.get(key) ?? loadMs),
      ttlMs: new Float64Array(keys.texts.length).fill(ttlMs),
    };
    const hot = keys.hot(ttlMs);
    const longestLoadMs = this.#costs.loadMs.reduce((a, b) => Math.max(a, b), 0);
    const horizonMs = Math.max(ttlMs, keys.longestTtlMs) + longestLoadMs;
    this.#runs = Object.entries(policies(keys.texts, settings)).map(([name, make]) => {
      const score = new Score({ countFromMs: warmUpMs, horizonMs, hot });
      return { name, policy: make(new Values(this.#costs, score)), score };
    });
  }

  /** One read, in order of time; a ttl of 0 is the key's last one. @throws EverwarmError for a key of another trace */
  read(tMs: number, keyText: string, ttlMs: number): void {
    const key = this.#keys.indexOf(keyText);
    if (key === undefined) {
      throw new EverwarmError('TRACE_FILE', 'the trace has changed while it was read');
    }
    if (ttlMs > 0) this.#costs.ttlMs[key] = ttlMs;
    const nowMs = tMs - this.#keys.firstMs;
    for (const { policy, score } of this.#runs) score.addRead(key, nowMs, policy.read(key, nowMs));
  }

  /** Ends every policy and answers their results, by name, in the order in which they are shown. */
  finish(): Map<string, PolicyResult> {
    const { spanMs } = this.#keys;
    for (const { policy } of this.#runs) policy.finish(spanMs);
    const tallies = new Map(this.#runs.map(({ name, score }) => [name, score.tally]));
    const first = this.#runs[0]?.score.tally;
    const { plain = first, oracle = first } = Object.fromEntries(tallies);
    if (!plain || !oracle) return new Map();
    const seconds = (spanMs - this.#warmUpMs) / 1_000;
    return new Map(
      [...tallies].map(([name, tally]) => [name, resultOf(tally, { plain, oracle, seconds })]),
    );
  }
}

function policies(
  keys: readonly string[],
  settings: SimulationSettings,
): Record<string, MakePolicy> {
  const xfetch = (beta: number) => perReadXfetch(beta, seededRandom(XFETCH_SEED));
  const everwarm =
    (threshold: number): MakePolicy =>
    (values) =>
      new Everwarm(values, keys, { ...settings, threshold: fixedThreshold(threshold) });
  const fixed = settings.thresholds.map((theta) => [`everwarm@${theta}`, everwarm(theta)] as const);
  return {
    plain: (values) => new OnRead(values, never),
    staleWhileRevalidate: (values) => new OnRead(values, never, 1),
    refreshAt80: (values) => new OnRead(values, afterShare(0.8)),
    refreshAt90: (values) => new OnRead(values, afterShare(0.9)),
    xfetch1: (values) => new OnRead(values, xfetch(1)),
    xfetch2: (values) => new OnRead(values, xfetch(2)),
    timer: (values) => new Timers(values),
    everwarm: everwarm(settings.threshold),
    ...Object.fromEntries(fixed),
    oracle: (values) => new Oracle(values),
  };
}
