import { Redis } from 'ioredis';
import { encodeValue } from '../src/redis/codec.ts';
import { encodeEntry } from '../src/redis/entry.ts';
import { Keys } from '../src/redis/keys.ts';
import { Tracker } from '../src/redis/tracker.ts';
import { hot } from './hot-loader.ts';

const CHUNK = 1_000;
const READS = 1_000;
const ENTRY_LIFE_MS = 3_600_000;

/**
 * Fills a namespace as a busy fleet leaves it whose schedulers have been away: so many entries at the end
 * of their life, each of a key that has been read a thousand times and is due.
 */
export async function prefillHotKeys(
  redisUrl: string,
  namespace: string,
  count: number,
): Promise<void> {
  const redis = new Redis(redisUrl);
  const keys = new Keys(namespace);
  const tracker = new Tracker(redis, keys, hot);
  for (let from = 0; from < count; from += CHUNK) {
    const ids = Array.from({ length: Math.min(CHUNK, count - from) }, (_, at) => from + at);
    const nowMs = Date.now();
    const pipeline = redis.pipeline();
    for (const id of ids) {
      pipeline.set(keys.entry(hot, String(id)), dyingEntry(id, nowMs), 'PX', ENTRY_LIFE_MS);
    }
    await pipeline.exec();
    const records = ids.map((id) => ({ key: String(id), reads: READS, expiresAtMs: nowMs }));
    await tracker.record(records, { nowMs, lookAheadMs: hot.ttlMs / 2 });
  }
  redis.disconnect();
}

function dyingEntry(id: number, nowMs: number): Buffer {
  const header = {
    createdAtMs: nowMs - hot.ttlMs,
    expiresAtMs: nowMs,
    load: { meanMs: 1, deviationMs: 0.5 },
    logHeat: Number.NaN,
    unreadLives: 0,
    invalidated: false,
    notFound: false,
  };
  return encodeEntry(header, encodeValue({ id, name: `thing ${id}` }));
}
