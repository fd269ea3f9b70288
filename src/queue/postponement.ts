import type { AnyLoader } from '../loaders/define-loader.ts';

/** Share of the ttl over which postponed keys are spread at most. */
const MOST_SHARE_OF_TTL = 0.5;

/**
 * When this worker's keys that got no permit are due again: one after the other, at the pace of their
 * loader's limit. All at once they would be refused all over again but for a few.
 */
export class Postponement {
  readonly #stepMs: number;
  readonly #mostMs: number;
  readonly #random: () => number;
  #lastAtMs = 0;

  constructor({ limit, ttlMs }: Pick<AnyLoader, 'limit' | 'ttlMs'>, random: () => number) {
    this.#stepMs = limit ? limit.perMs / limit.max : 0;
    this.#mostMs = MOST_SHARE_OF_TTL * ttlMs;
    this.#random = random;
  }

  /** The next key's due, epoch ms: not before asking again can succeed. */
  dueAtMs(retryAfterMs: number, nowMs: number): number {
    const earliestMs = nowMs + retryAfterMs;
    const lastAtMs = Math.max(earliestMs, Math.min(this.#lastAtMs, earliestMs + this.#mostMs));
    this.#lastAtMs = lastAtMs + this.#stepMs * (0.5 + this.#random());
    return this.#lastAtMs;
  }
}
