import type { Answer, Score } from './score.ts';

/** What each key's value costs to load and how long it lives, by the key's index. */
export interface Costs {
  readonly loadMs: Float64Array;
  /** As the key was last read; a load takes the ttl of its start. */
  readonly ttlMs: Float64Array;
}

/** Who waits for a load: its reader, or nobody. */
export type LoadKind = 'load' | 'refresh';

const REFRESHED = 1;
const READ = 2;

/**
 * The cache that a policy works on: of each key one value, and at most one load under way, as the lock
 * sees to it. Begun loads land by themselves. Instants are since the start of the trace; none is 0.
 */
export class Values {
  readonly #costs: Costs;
  readonly #score: Score;
  readonly #bornAtMs: Float64Array;
  readonly #expiresAtMs: Float64Array;
  readonly #landsAtMs: Float64Array;
  readonly #nextExpiresAtMs: Float64Array;
  /** Of the value in place, and of the one that is being loaded. */
  readonly #flags: Uint8Array;
  readonly #nextFlags: Uint8Array;

  constructor(costs: Costs, score: Score) {
    this.#costs = costs;
    this.#score = score;
    const keys = costs.loadMs.length;
    this.#bornAtMs = new Float64Array(keys);
    this.#expiresAtMs = new Float64Array(keys);
    this.#landsAtMs = new Float64Array(keys);
    this.#nextExpiresAtMs = new Float64Array(keys);
    this.#flags = new Uint8Array(keys);
    this.#nextFlags = new Uint8Array(keys);
  }

  get keys(): number {
    return this.#flags.length;
  }

  /** 0: it was never loaded. */
  expiresAtMs(key: number): number {
    return this.#expiresAtMs[key] as number;
  }

  ttlMs(key: number): number {
    return this.#costs.ttlMs[key] as number;
  }

  loadMs(key: number): number {
    return this.#costs.loadMs[key] as number;
  }

  isLoading(key: number): boolean {
    return this.#landsAtMs[key] !== 0;
  }

  /** Puts a value in place whose load has ended by now. */
  settle(key: number, nowMs: number): void {
    const landsAtMs = this.#landsAtMs[key] as number;
    if (landsAtMs === 0 || landsAtMs > nowMs) return;
    this.#landsAtMs[key] = 0;
    this.#live(key, landsAtMs, this.#nextFlags[key] as number);
    this.#expiresAtMs[key] = this.#nextExpiresAtMs[key] as number;
  }

  /** Answers a read, of a value that has expired for at most `staleMs` if it must be. */
  read(key: number, nowMs: number, staleMs = 0): Answer {
    this.settle(key, nowMs);
    const expiresAtMs = this.#expiresAtMs[key] as number;
    if (expiresAtMs !== 0 && nowMs < expiresAtMs + staleMs) {
      this.#flags[key] = (this.#flags[key] as number) | READ;
      return nowMs < expiresAtMs ? 'fresh' : 'stale';
    }
    if (!this.isLoading(key)) this.begin(key, nowMs, 'load');
    this.#nextFlags[key] = (this.#nextFlags[key] as number) | READ;
    return 'waited';
  }

  /** Begins a load, while none is under way; answers when it lands, ms. */
  begin(key: number, nowMs: number, kind: LoadKind): number {
    this.#score.addLoad(nowMs);
    const landsAtMs = nowMs + this.loadMs(key);
    this.#landsAtMs[key] = landsAtMs;
    this.#nextExpiresAtMs[key] = Math.floor(landsAtMs + this.ttlMs(key));
    this.#nextFlags[key] = kind === 'refresh' ? REFRESHED : 0;
    return landsAtMs;
  }

  /** Lets a refresh have landed the moment its value expired, for a read that is sure to come. */
  renew(key: number): void {
    const expiresAtMs = this.expiresAtMs(key);
    this.#score.addLoad(expiresAtMs - this.loadMs(key));
    this.#live(key, expiresAtMs, REFRESHED | READ);
    this.#expiresAtMs[key] = expiresAtMs + this.ttlMs(key);
  }

  /** Lets every load end that does by then, and counts the lives that are over. */
  finish(endMs: number): void {
    for (let key = 0; key < this.keys; key++) {
      this.settle(key, endMs);
      if (this.expiresAtMs(key) <= endMs) this.#live(key, endMs, 0);
    }
  }

  /** Ends the life of the value in place and begins another. */
  #live(key: number, bornAtMs: number, flags: number): void {
    const before = this.#flags[key] as number;
    if ((before & REFRESHED) !== 0) {
      const end = (before & READ) === 0 ? 'unread' : 'read';
      this.#score.addRefreshedLife(this.#bornAtMs[key] as number, end);
    }
    this.#flags[key] = flags;
    this.#bornAtMs[key] = bornAtMs;
  }
}
