import type { ReadTotals } from '../redis/fleet-counts.ts';
import type { Answer } from './answer.ts';

export interface ReadCountsParts {
  /** One of so many reads is timed: to ask the clock costs more than to count. */
  readonly timeOneIn: number;
  readonly onTimed: (seconds: number) => void;
}

const UNTIMED: ReadCountsParts = { timeOneIn: Number.POSITIVE_INFINITY, onTimed: () => undefined };

/** What this process's reads of one loader came to: plain integers, as a read may cost no more than that. */
export class ReadCounts implements ReadTotals {
  memory = 0;
  redis = 0;
  stale = 0;
  /** Answered by a load that the read waited for, its own or another's. */
  loader = 0;
  uncached = 0;
  failed = 0;
  readonly #parts: ReadCountsParts;
  #untimed = 0;

  constructor(parts: ReadCountsParts = UNTIMED) {
    this.#parts = parts;
  }

  /** When a read begins that no copy here answers: its start if it is to be timed, else 0. */
  begin(): number {
    if (++this.#untimed < this.#parts.timeOneIn) return 0;
    this.#untimed = 0;
    return performance.now();
  }

  /** @param startedAtMs - as `begin` has answered */
  end({ state, source }: Answer, startedAtMs: number): void {
    if (startedAtMs !== 0) this.#parts.onTimed((performance.now() - startedAtMs) / 1_000);
    if (state !== 'fresh') this[state]++;
    else this[source]++;
  }

  /** Of many keys in one call, which are not timed. */
  endMany(answers: readonly PromiseSettledResult<Answer>[]): void {
    for (const answer of answers) {
      if (answer.status === 'fulfilled') this.end(answer.value, 0);
      else this.failed++;
    }
  }
}
