import { LRUCache } from 'lru-cache';
import { resolveRole } from './config/options.ts';
import { checkPermits, type RateLimiterOptions, resolveLimit } from './config/rate-limit.ts';
import { checkName, span } from './config/rules.ts';
import { Cancellation } from './core/cancellation.ts';
import type { Duration } from './core/duration.ts';
import { EverwarmError } from './core/errors.ts';
import { type EventName, Events, type Listener } from './core/events.ts';
import type { RateLimit } from './core/sliding-window.ts';
import { waitUnlessAborted } from './core/wait.ts';
import { encodeKey } from './loaders/key-codec.ts';
import { CheckedServers } from './redis/checked-servers.ts';
import { openDataConnection } from './redis/connection.ts';
import { Keys } from './redis/keys.ts';
import type { RedisClient } from './redis/redis-client.ts';
import { type ScriptClient, scriptClient } from './redis/scripts.ts';
import { SlidingWindowLimiter } from './redis/sliding-window-limiter.ts';

export interface TakeOptions {
  /** Permits to take together, at most `max`. @defaultValue `1` */
  readonly permits?: number;
  /** Wait for them, if they are to be had within so long. @defaultValue `0` */
  readonly maxWait?: Duration;
  /** Ends the wait; permits that are reserved by then stay used. */
  readonly signal?: AbortSignal;
}

export interface RateLimitResult {
  /** Whether the permits are the caller's, to be used at once. */
  readonly allowed: boolean;
  /** Permits of this key that are left now. */
  readonly remaining: number;
  /** Milliseconds until asking again can succeed, if nobody else is faster; 0 when allowed. */
  readonly retryAfterMs: number;
}

/** A sliding-window limiter that all processes share which name it alike. */
export interface RateLimiter {
  /**
   * Takes permits of a key: with `maxWait`, once it is their time. While Redis is away or silent, each
   * process keeps to the limit by itself: the event `redis:failed` tells.
   *
   * @param key - what is limited, such as a user; left out: the limiter as a whole
   * @throws EverwarmError CLOSED after `close()`, InvalidOptionError, InvalidKeyError, and the signal's reason
   */
  take(key?: string, options?: TakeOptions): Promise<RateLimitResult>;
  /**
   * Resolves once Redis has answered, or after 5 s without it.
   *
   * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable
   */
  ready(): Promise<void>;
  /** Subscribes to an event; the answer unsubscribes. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /** Ends every wait, which then rejects with CLOSED, and closes the connection. */
  close(): Promise<void>;
}

/**
 * Opens a limiter on the queue server: at most `max` permits of a key in any window of `per`, whichever
 * process takes them, exact to the server's microsecond. Waiting asks Redis once: a permit that has to
 * be waited for is reserved, in order.
 *
 * @example
 * ```ts
 * const logins = createRateLimiter({ name: 'logins', max: 5, per: '1m' });
 * const { allowed, retryAfterMs } = await logins.take(userId);
 * if (!allowed) response.set('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
 * ```
 * @throws InvalidOptionError naming the option, its value and the rule
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  return new FreeLimiter(options);
}

/** Keys whose refusals, and limits while Redis is away, a process remembers. */
const MOST_KEYS = 10_000;

class FreeLimiter implements RateLimiter {
  readonly #name: string;
  readonly #limit: RateLimit;
  readonly #keys: Keys;
  readonly #events = new Events();
  readonly #redis: RedisClient;
  readonly #scripts: ScriptClient;
  readonly #limiters = new LRUCache<string, SlidingWindowLimiter>({ max: MOST_KEYS });
  readonly #waiting = new Set<Cancellation>();
  readonly #checked: CheckedServers;
  /** After it, without Redis, the process limits by itself. */
  readonly #usable: Promise<unknown>;
  #isClosed = false;

  constructor(options: RateLimiterOptions) {
    const { redis, namespace, strict } = resolveRole(options);
    this.#name = checkName(options.name, 'name');
    this.#limit = resolveLimit(options, (field) => field);
    this.#keys = new Keys(namespace);
    const events = this.#events;
    this.#redis = openDataConnection(redis.queue, { role: 'queue', name: 'limiter', events });
    this.#scripts = scriptClient(this.#redis);
    const queue = { role: 'queue', client: this.#redis } as const;
    this.#checked = new CheckedServers([queue], { redis, strict, events });
    this.#usable = this.#checked.usable();
    this.#usable.catch(() => undefined); // Whoever takes sees it.
  }

  async take(key = '', options: TakeOptions = {}): Promise<RateLimitResult> {
    const permits = checkPermits(options.permits ?? 1, 'permits', this.#limit.max);
    const maxWaitMs = span(options.maxWait, 'maxWait', { or: 0, min: 0 });
    const limiter = this.#limiter(encodeKey(key));
    options.signal?.throwIfAborted();
    await this.#usable;
    this.#checkOpen();
    const { isGranted, waitMs, remaining } = await limiter.take({ permits, maxWaitMs });
    this.#checkOpen();
    if (!isGranted) return { allowed: false, remaining, retryAfterMs: Math.ceil(waitMs) };
    if (waitMs > 0) await this.#wait(waitMs, options.signal);
    return { allowed: true, remaining, retryAfterMs: 0 };
  }

  ready(): Promise<void> {
    return this.#checked.ready();
  }

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    return this.#events.on(name, listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancellation of this.#waiting) cancellation.abort(this.#closed());
    this.#checked.close();
    this.#redis.disconnect();
  }

  #limiter(key: string): SlidingWindowLimiter {
    let limiter = this.#limiters.get(key);
    if (!limiter) {
      const keys = this.#keys.freeLimit(this.#name, key, this.#limit);
      const parts = { scripts: this.#scripts, keys, limit: this.#limit, events: this.#events };
      limiter = new SlidingWindowLimiter(parts);
      this.#limiters.set(key, limiter);
    }
    return limiter;
  }

  async #wait(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const cancellation = new Cancellation();
    const abort = (): void => cancellation.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    this.#waiting.add(cancellation);
    await waitUnlessAborted(waitMs, cancellation);
    this.#waiting.delete(cancellation);
    signal?.removeEventListener('abort', abort);
    signal?.throwIfAborted();
    this.#checkOpen();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closed();
  }

  #closed(): EverwarmError {
    return new EverwarmError('CLOSED', `rate limiter "${this.#name}": it is closed`);
  }
}
