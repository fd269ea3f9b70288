import { type Smoothed, smooth } from '../policy/load-time.ts';
import type { PlanHeader } from '../policy/plan.ts';

/** What a load writes into its entry's header. */
export interface Commit {
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly loadMs: number;
  /** NaN: a reader's load. */
  readonly logHeat: number;
  readonly unreadLives: number;
}

/** The headers of the entries in the cache, by the key's index. */
export class Headers {
  readonly #keptStaleMs: number;
  readonly #createdAtMs: Float64Array;
  readonly #expiresAtMs: Float64Array;
  readonly #loadMs: Float32Array;
  readonly #deviationMs: Float32Array;
  readonly #logHeat: Float64Array;
  readonly #unreadLives: Uint8Array;

  /** @param keptStaleMs - how long an entry is kept after its expiry */
  constructor(keys: number, keptStaleMs: number) {
    this.#keptStaleMs = keptStaleMs;
    this.#createdAtMs = new Float64Array(keys);
    this.#expiresAtMs = new Float64Array(keys);
    this.#loadMs = new Float32Array(keys);
    this.#deviationMs = new Float32Array(keys);
    this.#logHeat = new Float64Array(keys);
    this.#unreadLives = new Uint8Array(keys);
  }

  /** Null: there is no entry, or no longer. */
  get(key: number, nowMs: number): PlanHeader | null {
    if (!this.#isThere(key, nowMs)) return null;
    return {
      createdAtMs: this.#createdAtMs[key] as number,
      expiresAtMs: this.#expiresAtMs[key] as number,
      load: this.load(key),
      logHeat: this.#logHeat[key] as number,
      unreadLives: this.#unreadLives[key] as number,
      invalidated: false,
    };
  }

  load(key: number): Smoothed {
    return {
      meanMs: this.#loadMs[key] as number,
      deviationMs: this.#deviationMs[key] as number,
    };
  }

  commit(key: number, made: Commit): void {
    const { createdAtMs, expiresAtMs, loadMs, logHeat, unreadLives } = made;
    const previous = this.#isThere(key, createdAtMs) ? this.load(key) : null;
    const load = smooth(previous, loadMs);
    this.#createdAtMs[key] = Math.floor(createdAtMs);
    this.#expiresAtMs[key] = expiresAtMs;
    this.#loadMs[key] = load.meanMs;
    this.#deviationMs[key] = load.deviationMs;
    this.#logHeat[key] = logHeat;
    this.#unreadLives[key] = unreadLives;
  }

  #isThere(key: number, nowMs: number): boolean {
    const expiresAtMs = this.#expiresAtMs[key] as number;
    return expiresAtMs !== 0 && nowMs < expiresAtMs + this.#keptStaleMs;
  }
}
