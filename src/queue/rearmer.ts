import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Events } from '../core/events.ts';
import type { Refusal } from '../core/origin.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Smoothed } from '../policy/load-time.ts';
import { retryDelayMs } from '../policy/retry.ts';
import type { Failure } from '../redis/tracked-key.ts';
import type { Rearmed, Tracker } from '../redis/tracker.ts';
import { lookAfterLandingMs } from './look-after-landing.ts';
import type { Postponement } from './postponement.ts';
import type { KeyOutcome } from './refresh-outcome.ts';

export interface RearmerParts {
  readonly loader: AnyLoader;
  readonly tracker: Tracker;
  readonly clock: Clock;
  readonly events: Events;
  readonly random: () => number;
  /** Failed refreshes in a row so far, by key. */
  readonly attempts: ReadonlyMap<string, number>;
  readonly loadTime: () => Smoothed | null;
  readonly postponement: Postponement;
}

const FLUSH_MS = 250;
/** When to look again at a key whose lock is held or cannot be asked for, or that another version's job took. */
const LOOK_AGAIN_MS = 1_000;
const MAX_ERROR_LENGTH = 500;

/** Ends the claims of a job's keys as they land, so that a long job holds none of them up. */
export class Rearmer {
  readonly #parts: RearmerParts;
  #pending: Rearmed[] = [];
  #flushedAtMs: number;

  constructor(parts: RearmerParts) {
    this.#parts = parts;
    this.#flushedAtMs = parts.clock.now();
  }

  add(outcomes: readonly KeyOutcome[]): void {
    const nowMs = this.#parts.clock.now();
    for (const outcome of outcomes) {
      const rearmed = this.#rearmed(outcome, nowMs);
      if (rearmed) this.#pending.push(rearmed);
    }
    if (nowMs - this.#flushedAtMs >= FLUSH_MS) void this.flush();
  }

  /** Never rejects: a claim that is not ended here runs out by itself. */
  async flush(): Promise<void> {
    const rearmed = this.#pending;
    this.#pending = [];
    this.#flushedAtMs = this.#parts.clock.now();
    await this.#parts.tracker.rearm(rearmed).catch(() => undefined);
  }

  /** Null: the claim has run out, the key is the next claim's. */
  #rearmed(outcome: KeyOutcome, nowMs: number): Rearmed | null {
    const { key } = outcome;
    if (outcome.kind === 'failed') return this.#backoff(key, outcome.error, nowMs);
    if (outcome.kind === 'refreshed') return this.#landed(key, outcome.expiresAtMs, nowMs);
    if (outcome.kind === 'away') return this.#later(key, 'the cache server was away', nowMs);
    if (outcome.kind === 'limited') return this.#postponed(key, outcome.refusal, nowMs);
    switch (outcome.why) {
      case 'late':
        return null;
      case 'not-found':
        return { key, dueAtMs: null, failure: null };
      case 'fresh':
        return this.#landed(key, outcome.expiresAtMs, nowMs);
      case 'superseded':
      case 'paused': // Nobody claims it until the pause is over.
        return { key, dueAtMs: nowMs, failure: null };
      default:
        return this.#later(key, 'another load of it was under way', nowMs);
    }
  }

  get #lookAgainMs(): number {
    return Math.min(LOOK_AGAIN_MS, this.#parts.loader.ttlMs / 10);
  }

  #later(key: string, why: string, nowMs: number): Rearmed {
    const dueAtMs = nowMs + this.#lookAgainMs;
    const failure = this.#untried(key, { dueAtMs, why });
    return { key, dueAtMs, failure };
  }

  // Reads must not bring it forward, nor a reload that was not tried count as done: as in a backoff.
  #postponed(key: string, { retryAfterMs, why }: Refusal, nowMs: number): Rearmed {
    // While one call tries an origin, how long that takes is anybody's guess.
    const leastMs = why === 'breaker' ? this.#lookAgainMs : 0;
    const dueAtMs = this.#parts.postponement.dueAtMs(Math.max(retryAfterMs, leastMs), nowMs);
    const what = why === 'breaker' ? 'failing' : 'at its limit';
    const failure = this.#untried(key, { dueAtMs, why: `its origin was ${what}` });
    return { key, dueAtMs, failure, isPostponed: true };
  }

  // Not tried, so that it has failed as often as before: a reader that loads an expired key, and fails
  // too, must not wipe out its backoff.
  #untried(
    key: string,
    { dueAtMs, why }: { readonly dueAtMs: number; readonly why: string },
  ): Failure | null {
    const attempts = this.#parts.attempts.get(key) ?? 0;
    if (attempts === 0) return null;
    const error = `failed before; not tried while ${why}`;
    return { attempts, error, retryAtMs: Math.floor(dueAtMs) };
  }

  #landed(key: string, expiresAtMs: number, nowMs: number): Rearmed {
    const { loader } = this.#parts;
    const dueAtMs = lookAfterLandingMs(loader, {
      expiresAtMs,
      nowMs,
      load: this.#parts.loadTime(),
    });
    return { key, dueAtMs, failure: null };
  }

  #backoff(key: string, error: unknown, nowMs: number): Rearmed {
    const { loader, events, random } = this.#parts;
    const attempts = (this.#parts.attempts.get(key) ?? 0) + 1;
    const waitMs = retryDelayMs({ attempt: attempts, ttlMs: loader.ttlMs, random01: random() });
    const retryAtMs = Math.floor(nowMs + waitMs);
    events.emit('refresh:failed', { loader: loader.name, key, error, retryAtMs });
    const failure = { attempts, error: messageOf(error).slice(0, MAX_ERROR_LENGTH), retryAtMs };
    return { key, dueAtMs: retryAtMs, failure };
  }
}
