import { TimeHeap } from './time-heap.ts';

/** By whom a load was begun. */
export const BY_READER = 0;
export const BY_WORKER = 1;
export const STEPPED_IN = 2;

/** By whom a load was begun, and what its entry takes over. */
export interface Begun {
  readonly by: number;
  /** NaN: a reader's load. */
  readonly logHeat: number;
  readonly unreadLives: number;
}

/** The loads that have not landed yet, by the key's index. */
export class LoadsUnderWay {
  readonly #landings = new TimeHeap();
  readonly #beganAtMs: Float64Array;
  readonly #by: Uint8Array;
  readonly #logHeat: Float64Array;
  readonly #unreadLives: Uint8Array;

  constructor(keys: number) {
    this.#beganAtMs = new Float64Array(keys);
    this.#by = new Uint8Array(keys);
    this.#logHeat = new Float64Array(keys);
    this.#unreadLives = new Uint8Array(keys);
  }

  /** When the next one lands, ms; Infinity when none is under way. */
  get nextLandingMs(): number {
    return this.#landings.nextAtMs;
  }

  begin(
    key: number,
    load: Begun & { readonly beganAtMs: number; readonly landsAtMs: number },
  ): void {
    this.#landings.push(load.landsAtMs, key);
    this.#beganAtMs[key] = load.beganAtMs;
    this.#by[key] = load.by;
    this.#logHeat[key] = load.logHeat;
    this.#unreadLives[key] = load.unreadLives;
  }

  /** Takes out the next one; only while there is one. */
  land(): number {
    return this.#landings.pop();
  }

  /** The load of a key that has begun last. */
  get(key: number): Begun & { readonly beganAtMs: number } {
    return {
      beganAtMs: this.#beganAtMs[key] as number,
      by: this.#by[key] as number,
      logHeat: this.#logHeat[key] as number,
      unreadLives: this.#unreadLives[key] as number,
    };
  }
}
