import { EverwarmError } from '../core/errors.ts';
import { type PolicySettings, policies } from './policies.ts';
import { PolicyRun } from './policy-run.ts';
import { ReadBatch } from './read-batch.ts';
import { type PolicyResult, resultOf } from './result.ts';
import { Score, type Tally } from './score.ts';
import type { TraceKeys } from './trace-keys.ts';

export interface SimulationSettings extends PolicySettings {
  /** Of keys that `loadTimes` does not name. */
  readonly loadMs: number;
  readonly loadTimes: ReadonlyMap<string, number>;
  /** The first reads, for so many ttl, are played but not counted. @defaultValue 2 */
  readonly warmUpTtls?: number;
}

const WARM_UP_TTLS = 2;

/** Plays the reads of one trace to every policy. Memory grows with keys, not with reads. */
export class Simulation {
  readonly #keys: TraceKeys;
  readonly #countedMs: number;
  readonly #runs: readonly PolicyRun[];
  readonly #batch = new ReadBatch();

  /** @throws EverwarmError when the trace is over before the warm-up is */
  constructor(keys: TraceKeys, settings: SimulationSettings) {
    const { ttlMs, loadMs, loadTimes, warmUpTtls = WARM_UP_TTLS } = settings;
    const warmUpMs = warmUpTtls * ttlMs;
    if (keys.spanMs <= warmUpMs) {
      const what = `the trace covers ${keys.spanMs} ms, and the first ${warmUpMs} ms (two ttl) are warm-up`;
      throw new EverwarmError('TRACE_FILE', `${what}: nothing is left to count`);
    }
    this.#keys = keys;
    this.#countedMs = keys.spanMs - warmUpMs;
    const hot = keys.hot(ttlMs);
    const loads = Float64Array.from(keys.texts, (key) => loadTimes.get(key) ?? loadMs);
    const longestLoadMs = loads.reduce((a, b) => Math.max(a, b), 0);
    const horizonMs = Math.max(ttlMs, keys.longestTtlMs) + longestLoadMs;
    this.#runs = [...policies(keys.texts, settings)].map(([name, make]) => {
      const costs = { loadMs: loads, ttlMs: new Float64Array(loads.length).fill(ttlMs) };
      return new PolicyRun({
        name,
        make,
        costs,
        score: new Score({ countFromMs: warmUpMs, horizonMs, hot }),
      });
    });
  }

  /** One read, in order of time; a ttl of 0 is the key's last one. @throws EverwarmError for a key of another trace */
  read(tMs: number, keyText: string, ttlMs: number): void {
    const key = this.#keys.indexOf(keyText);
    if (key === undefined) {
      throw new EverwarmError('TRACE_FILE', 'the trace has changed while it was read');
    }
    this.#batch.add(key, tMs - this.#keys.firstMs, ttlMs);
    if (this.#batch.isFull) this.#play();
  }

  /** Ends every policy and answers their results, by name, in the order in which they are shown. */
  finish(): Map<string, PolicyResult> {
    this.#play();
    const seconds = this.#countedMs / 1_000;
    const tallies = new Map<string, Tally>();
    for (const run of this.#runs) tallies.set(run.name, run.finish(this.#keys.spanMs));
    const plain = tallies.get('plain') as Tally;
    const oracle = tallies.get('oracle') as Tally;
    return new Map(
      [...tallies].map(([name, tally]) => [name, resultOf(tally, { plain, oracle, seconds })]),
    );
  }

  #play(): void {
    for (const run of this.#runs) run.play(this.#batch);
    this.#batch.size = 0;
  }
}
