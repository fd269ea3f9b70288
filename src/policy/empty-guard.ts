import type { EmptyGuardSettings } from '../core/empty-guard-settings.ts';

/** What a loader answered for a key that had a value. */
export type GuardedAnswer = 'value' | 'empty';

const MOST_ANSWERS = 10_000;

/**
 * A loader's last `atLeast` / `share` answers for keys that had a value: so few that a loader that breaks
 * is found out after `atLeast` empty ones, however often it was right before.
 */
export class LateAnswers {
  readonly #settings: EmptyGuardSettings;
  /** A ring: 1 for each empty answer. */
  readonly #ring: Uint8Array;
  #count = 0;
  #empty = 0;
  #next = 0;

  constructor(settings: EmptyGuardSettings) {
    this.#settings = settings;
    const { share, atLeast } = settings;
    const wide = Math.min(Math.floor(atLeast / share), MOST_ANSWERS);
    this.#ring = new Uint8Array(Math.max(wide, atLeast));
  }

  add(answer: GuardedAnswer): void {
    const isEmpty = answer === 'empty' ? 1 : 0;
    const isFull = this.#count === this.#ring.length;
    if (isFull) this.#empty -= this.#ring[this.#next] ?? 0;
    else this.#count++;
    this.#ring[this.#next] = isEmpty;
    this.#empty += isEmpty;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  /** Of the late answers, how many were empty: 0 to 1. */
  get emptyShare(): number {
    return this.#count === 0 ? 0 : this.#empty / this.#count;
  }

  /** Whether a loader that finds nothing for a key that had a value is more likely broken than right. */
  get isSuspicious(): boolean {
    const { share, atLeast } = this.#settings;
    return this.#empty >= atLeast && this.#empty >= share * this.#count;
  }
}
