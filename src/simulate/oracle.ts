import type { Policy } from './policy.ts';
import type { Answer } from './score.ts';
import type { Values } from './values.ts';

/**
 * Knows the next read of every key: it refreshes a value, to land the moment the old one expires, exactly
 * if the new one will be read. Decided when that read comes, as nothing else can tell the difference.
 */
export class Oracle implements Policy {
  readonly #values: Values;

  constructor(values: Values) {
    this.#values = values;
  }

  read(key: number, nowMs: number): Answer {
    const values = this.#values;
    values.settle(key, nowMs);
    const expiresAtMs = values.expiresAtMs(key);
    const isExpired = expiresAtMs !== 0 && expiresAtMs <= nowMs && !values.isLoading(key);
    if (isExpired && nowMs < expiresAtMs + values.ttlMs(key)) values.renew(key);
    return values.read(key, nowMs);
  }

  finish(endMs: number): void {
    this.#values.finish(endMs);
  }
}
