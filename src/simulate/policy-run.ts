import type { MakePolicy } from './policies.ts';
import type { Policy } from './policy.ts';
import type { ReadBatch } from './read-batch.ts';
import type { Score, Tally } from './score.ts';
import { type Costs, Values } from './values.ts';

/** One policy on its way through a trace. */
export class PolicyRun {
  readonly name: string;
  readonly #costs: Costs;
  readonly #policy: Policy;
  readonly #score: Score;

  /** The costs are this run's own: its place in the trace is, too. */
  constructor(parts: {
    readonly name: string;
    readonly make: MakePolicy;
    readonly costs: Costs;
    readonly score: Score;
  }) {
    const { name, make, costs, score } = parts;
    this.name = name;
    this.#costs = costs;
    this.#policy = make(new Values(costs, score));
    this.#score = score;
  }

  play({ keys, atMs, ttlMs, size }: ReadBatch): void {
    const policy = this.#policy;
    const score = this.#score;
    for (let at = 0; at < size; at++) {
      const key = keys[at] as number;
      const nowMs = atMs[at] as number;
      const ownTtlMs = ttlMs[at] as number;
      if (ownTtlMs > 0) this.#costs.ttlMs[key] = ownTtlMs;
      score.addRead(key, nowMs, policy.read(key, nowMs));
    }
  }

  finish(endMs: number): Tally {
    this.#policy.finish(endMs);
    return this.#score.tally;
  }
}
