import type { Policy } from './policy.ts';
import type { Answer } from './score.ts';
import type { Values } from './values.ts';

/** A read of a fresh value that no refresh is under way for. */
export interface FreshRead {
  readonly leftMs: number;
  readonly ttlMs: number;
  readonly loadMs: number;
}

/** Whether a read of a fresh value begins a refresh behind its answer. */
export type RefreshRule = (read: FreshRead) => boolean;

/** Begins no refresh: a value lives for its ttl, and its next reader waits. */
export const never: RefreshRule = () => false;

/** The first read once this share of the ttl is over. */
export function afterShare(share: number): RefreshRule {
  return ({ leftMs, ttlMs }) => leftMs <= (1 - share) * ttlMs;
}

/** XFetch as published: every read draws anew, and refreshes if −δβ·ln(rand) reaches over the expiry. */
export function perReadXfetch(beta: number, random: () => number): RefreshRule {
  return ({ leftMs, loadMs }) => -loadMs * beta * Math.log(1 - random()) >= leftMs;
}

/** Refreshes are begun by reads alone: by those of fresh values, and by those of stale ones. */
export class OnRead implements Policy {
  readonly #values: Values;
  readonly #rule: RefreshRule;
  readonly #staleShare: number;

  /** @param staleShare - for so many ttl after its expiry a value is served while it is loaded anew */
  constructor(values: Values, rule: RefreshRule, staleShare = 0) {
    this.#values = values;
    this.#rule = rule;
    this.#staleShare = staleShare;
  }

  read(key: number, nowMs: number): Answer {
    const values = this.#values;
    const ttlMs = values.ttlMs(key);
    const answer = values.read(key, nowMs, this.#staleShare * ttlMs);
    if (answer === 'waited' || values.isLoading(key)) return answer;
    const leftMs = values.expiresAtMs(key) - nowMs;
    const isDue = answer === 'stale' || this.#rule({ leftMs, ttlMs, loadMs: values.loadMs(key) });
    if (isDue) values.begin(key, nowMs, 'refresh');
    return answer;
  }

  finish(endMs: number): void {
    this.#values.finish(endMs);
  }
}
