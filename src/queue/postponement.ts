import type { AnyLoader } from '../loaders/define-loader.ts';

/** Share of the ttl over which postponed keys are spread at most. */
const MOST_SHARE_OF_TTL = 0.5;

export interface PostponementParts {
  /** How long the loader takes, as far as it is known. */
  readonly loadMs: () => number;
  readonly random: () => number;
}

/**
 * When this worker's keys that got no permit are due again: one after the other, at the pace that their
 * origin bears. All at once they would be refused all over again but for a few.
 */
export class Postponement {
  readonly #origin: AnyLoader['origin'];
  readonly #mostMs: number;
  readonly #parts: PostponementParts;
  #lastAtMs = 0;

  constructor({ origin, ttlMs }: Pick<AnyLoader, 'origin' | 'ttlMs'>, parts: PostponementParts) {
    this.#origin = origin;
    this.#mostMs = MOST_SHARE_OF_TTL * ttlMs;
    this.#parts = parts;
  }

  /** The next key's due, epoch ms: not before asking again can succeed. */
  dueAtMs(retryAfterMs: number, nowMs: number): number {
    const earliestMs = nowMs + retryAfterMs;
    const lastAtMs = Math.max(earliestMs, Math.min(this.#lastAtMs, earliestMs + this.#mostMs));
    this.#lastAtMs = lastAtMs + this.#stepMs() * (0.5 + this.#parts.random());
    return this.#lastAtMs;
  }

  #stepMs(): number {
    const { rate = null, concurrency = null } = this.#origin ?? {};
    const ofRateMs = rate ? rate.perMs / rate.max : 0;
    return Math.max(ofRateMs, concurrency ? this.#parts.loadMs() / concurrency : 0);
  }
}
