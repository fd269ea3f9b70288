import {
  FORETELLERS,
  type Foreteller,
  type HotKeys,
  learnScores,
  type Scores,
  scoresOf,
} from '../policy/expected-keys.ts';
import { withinTimeout } from './connection.ts';
import type { Keys, NamedLoader } from './keys.ts';
import { packed, unpacked } from './packed.ts';
import type { RedisClient } from './redis-client.ts';
import type { Tracker } from './tracker.ts';

/** Longer than a week, so that the same hour of the last one is still there. */
const KEPT_SECONDS = 8 * 86_400;
export const KEPT_HOURS: number = KEPT_SECONDS / 3_600;
const SCORES_KEPT_SECONDS = 30 * 86_400;
const EXPECTED_KEPT_SECONDS = 86_400;
const LEASE_SECONDS = 60;
export const MOST_KEYS = 10_000;
/** 1 was the list of keys alone. */
const FORMAT = 2;
/** Reads are written down in hundredths: whole numbers take less room. */
const READS_UNIT = 100;

/** How many hours before the one that is over each foreteller has its keys from. */
const HOURS_BEFORE: Readonly<Record<Foreteller, number>> = { yesterday: 24, lastWeek: 168, now: 1 };

/** An hour's hottest keys, as they were written down when it was over. */
export interface HourRecord extends HotKeys {
  /** When that was, and the half-life of the reads; null of records without reads. */
  readonly heat: { readonly atMs: number; readonly halfLifeMs: number } | null;
}

export interface HistoryParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly loader: NamedLoader;
  readonly tracker: Pick<Tracker, 'hottestNow' | 'halfLifeMs'>;
}

/** Which keys of a loader were the hottest, hour by hour, on the queue server. Hours are counted from the epoch. */
export class History {
  readonly #parts: HistoryParts;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /**
   * Writes down the hottest keys of now as those of an hour, unless somebody has, or is about to, and learns
   * from them who would have told; answers whether it did.
   */
  async record(hour: number, nowMs: number): Promise<boolean> {
    const { redis, tracker } = this.#parts;
    const key = this.#key(hour);
    if ((await withinTimeout(redis.exists(key), `looking for ${key}`)) === 1) return false;
    const lease = redis.set(`${key}:lease`, '1', 'EX', LEASE_SECONDS, 'NX');
    if ((await withinTimeout(lease, `leasing ${key}`)) === null) return false;
    const hottest = await tracker.hottestNow(MOST_KEYS, nowMs);
    const bytes = await packed({
      format: FORMAT,
      atMs: nowMs,
      halfLifeMs: tracker.halfLifeMs,
      keys: hottest.keys,
      reads: hottest.reads.map((reads) => Math.round(reads * READS_UNIT)),
    });
    await withinTimeout(redis.set(key, bytes, 'EX', KEPT_SECONDS), `writing ${key}`);
    await this.#learn(hour, hottest.keys);
    return true;
  }

  /** Null of an hour that nobody has written down. */
  async read(hour: number): Promise<HourRecord | null> {
    const key = this.#key(hour);
    return recordOf(
      await unpacked(await withinTimeout(this.#parts.redis.getBuffer(key), `reading ${key}`)),
    );
  }

  /** The hottest keys of an hour, hottest first; none of an hour that nobody has written down. */
  async hottest(hour: number, count: number): Promise<readonly string[]> {
    return (await this.read(hour))?.keys.slice(0, count) ?? [];
  }

  /** The last hour up to this one that was written down; null: none of those that are kept. */
  async lastHour(hour: number): Promise<number | null> {
    const pipeline = this.#parts.redis.pipeline();
    for (let ago = 0; ago < KEPT_HOURS; ago++) pipeline.exists(this.#key(hour - ago));
    const replies = await withinTimeout(pipeline.exec(), `looking for ${this.#key(hour)}`);
    const ago = replies?.findIndex(([, exists]) => exists === 1) ?? -1;
    return ago < 0 ? null : hour - ago;
  }

  /** How well the hottest keys of an hour were foretold so far. */
  async scores(): Promise<Scores> {
    const key = this.#scoresKey();
    return scoresOf(await withinTimeout(this.#parts.redis.hgetall(key), `reading ${key}`));
  }

  /** What was expected under that name first, whoever asks again within a day. */
  async expectedOnce(
    name: string,
    expect: () => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    const { redis, keys, loader } = this.#parts;
    const key = keys.expected(loader, name);
    const reading = (): Promise<Buffer | null> =>
      withinTimeout(redis.getBuffer(key), `reading ${key}`);
    const kept = await unpacked(await reading());
    if (Array.isArray(kept)) return kept.map(String);
    const expected = await expect();
    const bytes = await packed(expected);
    await withinTimeout(redis.set(key, bytes, 'EX', EXPECTED_KEPT_SECONDS), `writing ${key}`);
    return expected;
  }

  async #learn(hour: number, actual: readonly string[]): Promise<void> {
    const told: Partial<Record<Foreteller, readonly string[]>> = {};
    for (const one of FORETELLERS) {
      told[one] = await this.hottest(hour - HOURS_BEFORE[one], MOST_KEYS);
    }
    const { redis } = this.#parts;
    const key = this.#scoresKey();
    const learned = learnScores(await this.scores(), told, actual);
    const writing = redis.pipeline().hset(key, learned).expire(key, SCORES_KEPT_SECONDS).exec();
    await withinTimeout(writing, `writing ${key}`);
  }

  #key(hour: number): string {
    return this.#parts.keys.history(this.#parts.loader, hour);
  }

  #scoresKey(): string {
    return this.#parts.keys.historyScores(this.#parts.loader);
  }
}

/** Null of what is no record, and of formats to come. */
function recordOf(value: unknown): HourRecord | null {
  if (Array.isArray(value)) return { keys: value.map(String), reads: null, heat: null };
  if (value === null || typeof value !== 'object') return null;
  const { format, atMs, halfLifeMs, keys, reads } = value as Readonly<Record<string, unknown>>;
  if (format !== FORMAT || !Array.isArray(keys) || !Array.isArray(reads)) return null;
  return {
    keys: keys.map(String),
    reads: reads.map((one) => Number(one) / READS_UNIT),
    heat: { atMs: Number(atMs), halfLifeMs: Number(halfLifeMs) },
  };
}
