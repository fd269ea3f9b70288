import type { Clock } from '../core/clock.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { RefreshPause } from '../redis/refresh-pause.ts';
import { Tracker } from '../redis/tracker.ts';

export interface RefreshControlParts {
  readonly queue: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** More would take the origin longer than their readers wait. */
const WOKEN_AFTER_PAUSE = 2_000;

/** Stops and starts the refreshing of a loader in the whole fleet. Rejects when Redis fails. */
export class RefreshControl {
  readonly #parts: RefreshControlParts;

  constructor(parts: RefreshControlParts) {
    this.#parts = parts;
  }

  /** Answers whether it was not paused before. */
  pause(loader: AnyLoader): Promise<boolean> {
    return this.#pauseOf(loader).begin(this.#parts.clock.now());
  }

  /** Answers whether it was paused. Of what has become due meanwhile the hottest comes first. */
  async resume(loader: AnyLoader): Promise<boolean> {
    const { queue, keys, clock } = this.#parts;
    const pause = this.#pauseOf(loader);
    if ((await pause.sinceAtMs()) === null) return false;
    // Before the end of the pause: claims come in order of due, not of heat.
    await new Tracker(queue, keys, loader).wakeHottest(clock.now(), WOKEN_AFTER_PAUSE);
    return pause.end();
  }

  #pauseOf(loader: AnyLoader): RefreshPause {
    const { queue, keys } = this.#parts;
    return new RefreshPause(queue, keys, loader);
  }
}
