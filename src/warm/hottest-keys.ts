import type { Clock } from '../core/clock.ts';
import { expectedKeys } from '../policy/expected-keys.ts';
import { History, type HourRecord, MOST_KEYS } from '../redis/history.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { Tracker } from '../redis/tracker.ts';
import type { HottestSource } from './warm-keys.ts';
import type { WarmUp } from './warm-up.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS_AGO = { yesterday: 1, lastWeek: 7 } as const;

export interface HottestKeysParts {
  /** Of the queue server. */
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** Which hour, and for which run: for one the hottest of now, and the expected, stay the same. */
export interface HottestAt {
  /** The instant whose hour is meant, epoch ms. */
  readonly atMs: number;
  /** Null: for none. */
  readonly runId: string | null;
}

/** The hottest keys of a plan's loader: of now, of a past hour, or of the hour to come. */
export class HottestKeys {
  readonly #plan: WarmUp;
  readonly #clock: Clock;
  readonly #tracker: Tracker;
  readonly #history: History;

  constructor({ redis, keys, clock }: HottestKeysParts, plan: WarmUp) {
    const { loader } = plan;
    this.#plan = plan;
    this.#clock = clock;
    this.#tracker = new Tracker(redis, keys, loader);
    this.#history = new History({ redis, keys, loader, tracker: this.#tracker });
  }

  async *of(source: HottestSource, at: HottestAt): AsyncGenerator<string> {
    if (source.of === 'now') yield* this.#tracker.hottest(source.hottest, at.runId);
    else yield* await this.#list(source, at);
  }

  async count(source: HottestSource, at: HottestAt): Promise<number> {
    if (source.of === 'now') return this.#tracker.countHottest(source.hottest);
    return (await this.#list(source, at)).length;
  }

  async #list(
    { hottest, of }: HottestSource,
    { atMs, runId }: HottestAt,
  ): Promise<readonly string[]> {
    if (of === 'yesterday' || of === 'lastWeek') {
      return (await this.#past(of, atMs))?.keys.slice(0, hottest) ?? [];
    }
    const expect = (): Promise<readonly string[]> => this.#expected(hottest, atMs);
    return runId === null ? expect() : this.#history.expectedOnce(`${runId}:${hottest}`, expect);
  }

  async #expected(count: number, atMs: number): Promise<readonly string[]> {
    const [scores, yesterday, lastWeek, now] = await Promise.all([
      this.#history.scores(),
      this.#past('yesterday', atMs),
      this.#past('lastWeek', atMs),
      this.#tracker.hottestNow(MOST_KEYS, this.#clock.now()),
    ]);
    const told = { now, ...(yesterday && { yesterday }), ...(lastWeek && { lastWeek }) };
    return expectedKeys(scores, told, count);
  }

  #past(of: keyof typeof DAYS_AGO, atMs: number): Promise<HourRecord | null> {
    return this.#history.read(pastHour(this.#plan.zone, atMs, DAYS_AGO[of]));
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
