import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { pack, unpack } from 'msgpackr';
import { withinTimeout } from './connection.ts';
import type { Keys, NamedLoader } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import type { Tracker } from './tracker.ts';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** Longer than a week, so that the same hour of the last one is still there. */
const KEPT_SECONDS = 8 * 86_400;
const LEASE_SECONDS = 60;
const MOST_KEYS = 10_000;

export interface HistoryParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly loader: NamedLoader;
  readonly tracker: Pick<Tracker, 'hottestNow'>;
}

/** Which keys of a loader were the hottest, hour by hour, on the queue server. Hours are counted from the epoch. */
export class History {
  readonly #parts: HistoryParts;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /** Writes down the hottest keys of now as those of an hour, unless somebody has, or is about to; answers whether it did. */
  async record(hour: number, nowMs: number): Promise<boolean> {
    const { redis, tracker } = this.#parts;
    const key = this.#key(hour);
    if ((await withinTimeout(redis.exists(key), `looking for ${key}`)) === 1) return false;
    const lease = redis.set(`${key}:lease`, '1', 'EX', LEASE_SECONDS, 'NX');
    if ((await withinTimeout(lease, `leasing ${key}`)) === null) return false;
    const bytes = await zip(pack(await tracker.hottestNow(MOST_KEYS, nowMs)));
    await withinTimeout(redis.set(key, bytes, 'EX', KEPT_SECONDS), `writing ${key}`);
    return true;
  }

  /** The hottest keys of an hour, hottest first; none of an hour that nobody has written down. */
  async hottest(hour: number, count: number): Promise<readonly string[]> {
    const key = this.#key(hour);
    const bytes = await withinTimeout(this.#parts.redis.getBuffer(key), `reading ${key}`);
    if (bytes === null) return [];
    const hottest: unknown = unpack(await unzip(bytes));
    return Array.isArray(hottest) ? hottest.slice(0, count).map(String) : [];
  }

  #key(hour: number): string {
    return this.#parts.keys.history(this.#parts.loader, hour);
  }
}
