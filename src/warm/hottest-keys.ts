import { History } from '../redis/history.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { Tracker } from '../redis/tracker.ts';
import type { HottestSource } from './warm-keys.ts';
import type { WarmUp } from './warm-up.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The hottest keys of a plan's loader: of now, or of a past hour. */
export class HottestKeys {
  readonly #plan: WarmUp;
  readonly #tracker: Tracker;
  readonly #history: History;

  constructor(redis: RedisClient, keys: Keys, plan: WarmUp) {
    const { loader } = plan;
    this.#plan = plan;
    this.#tracker = new Tracker(redis, keys, loader);
    this.#history = new History({ redis, keys, loader, tracker: this.#tracker });
  }

  /**
   * @param at - the instant whose hour is meant, epoch ms, and the run for which those of now stay the same,
   * if they are to
   */
  async *of(
    { hottest, daysAgo }: HottestSource,
    at: { readonly atMs: number; readonly runId: string | null },
  ): AsyncGenerator<string> {
    if (daysAgo === 0) yield* this.#tracker.hottest(hottest, at.runId);
    else yield* await this.#past(hottest, daysAgo, at.atMs);
  }

  async count({ hottest, daysAgo }: HottestSource, atMs: number): Promise<number> {
    if (daysAgo === 0) return this.#tracker.countHottest(hottest);
    return (await this.#past(hottest, daysAgo, atMs)).length;
  }

  #past(count: number, daysAgo: number, atMs: number): Promise<readonly string[]> {
    return this.#history.hottest(pastHour(this.#plan.zone, atMs, daysAgo), count);
  }
}

/** The hour of the same local time so many days before, counted from the epoch. */
export function pastHour(
  zone: Pick<WarmUp['zone'], 'wallMs' | 'instantMs'>,
  atMs: number,
  daysAgo: number,
): number {
  return Math.floor(zone.instantMs(zone.wallMs(atMs) - daysAgo * DAY_MS) / HOUR_MS);
}
