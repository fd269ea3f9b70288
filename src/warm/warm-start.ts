import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULTS } from '../config/defaults.ts';
import { checkObject, span } from '../config/rules.ts';
import type { Clock } from '../core/clock.ts';
import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import { settlesWithin } from '../core/lifecycle.ts';
import { Slots } from '../core/slots.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { decodeKey } from '../loaders/key-codec.ts';
import { History } from '../redis/history.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { Tracker } from '../redis/tracker.ts';
import type { WarmResult } from './warmer.ts';

export interface ReadyOptions {
  /** Wait for `warmOnStart` too. */
  readonly warm: true;
  /** How long, from the call. @defaultValue `'30s'` */
  readonly timeout?: Duration;
}

/** Whether the hottest keys have been gone through, the time was up before, or they could not be loaded. */
export type WarmReady = 'warm' | 'timeout' | 'failed';

export interface WarmStartParts {
  /** So many keys of each loader; null: none are warmed. */
  readonly hottest: number | null;
  readonly loaders: Iterable<AnyLoader>;
  /** Of the queue server. */
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Settles when the servers have answered, or their time is up. */
  readonly ready: () => Promise<void>;
  readonly warm: (loader: AnyLoader, params: Iterable<unknown>) => Promise<WarmResult>;
}

const HOUR_MS = 3_600_000;
const LOADERS_AT_A_TIME = 4;
/** While Redis is away: for half a minute. */
const MOST_TRIES = 30;
const RETRY_MS = 1_000;

/** Warms the hottest keys of each loader once, when a process starts. No reader waits for it. */
export class WarmStart {
  readonly #parts: WarmStartParts;
  readonly #closing = new AbortController();
  #outcome: Promise<WarmReady> | null = null;

  constructor(parts: WarmStartParts) {
    this.#parts = parts;
    if (parts.hottest === null) return;
    const closed = new Promise<'failed'>((resolve) => {
      this.#closing.signal.addEventListener('abort', () => resolve('failed'), { once: true });
    });
    this.#outcome = Promise.race([this.#run(parts.hottest), closed]);
    this.#outcome.catch(() => undefined); // Refused: whoever awaits ready() sees it.
  }

  /**
   * Never rejects for what becomes of the keys.
   *
   * @throws InvalidOptionError, and what the servers' start throws when strict
   */
  async ready(options: ReadyOptions): Promise<WarmReady> {
    checkObject(options, 'options');
    if (options.warm !== true) throw new InvalidOptionError('warm', options.warm, 'must be true');
    const timeoutMs = span(options.timeout, 'timeout', { or: DEFAULTS.warmTimeoutMs, min: 0 });
    const outcome = this.#outcome;
    if (outcome === null) {
      throw new InvalidOptionError('warm', true, 'needs `warmOnStart` of createCache');
    }
    return (await settlesWithin(outcome, timeoutMs)) ? outcome : 'timeout';
  }

  /** What is under way ends with its warmer. */
  close(): void {
    this.#closing.abort();
  }

  async #run(hottest: number): Promise<WarmReady> {
    await this.#parts.ready();
    const slots = new Slots(LOADERS_AT_A_TIME);
    const tracked = [...this.#parts.loaders].filter(({ refresh }) => !refresh.isOff);
    const areWarm = await Promise.all(
      tracked.map((loader) => slots.run(() => this.#warm(loader, hottest))),
    );
    return areWarm.every((isWarm) => isWarm) ? 'warm' : 'failed';
  }

  /** Answers false where no key could be loaded. */
  async #warm(loader: AnyLoader, hottest: number): Promise<boolean> {
    const { signal } = this.#closing;
    for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
      try {
        const keys = await this.#hottest(loader, hottest);
        const { done, skipped, failed } = await this.#parts.warm(loader, paramsOf(keys));
        return failed === 0 || done + skipped > 0;
      } catch {
        // The connection reports its own errors.
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }

  /** Of now; of the last hour that was written down where the tracker has none. */
  async #hottest(loader: AnyLoader, count: number): Promise<readonly string[]> {
    const { queue, keys, clock } = this.#parts;
    const tracker = new Tracker(queue, keys, loader);
    const nowMs = clock.now();
    const hottest = await tracker.hottestNow(count, nowMs);
    if (hottest.keys.length > 0) return hottest.keys;
    const history = new History({ redis: queue, keys, loader, tracker });
    const hour = await history.lastHour(Math.floor(nowMs / HOUR_MS));
    return hour === null ? [] : history.hottest(hour, count);
  }
}

function* paramsOf(keys: readonly string[]): Generator<unknown> {
  for (const key of keys) {
    try {
      yield decodeKey(key);
    } catch {
      // No key of ours: anybody may write into a tracker.
    }
  }
}
