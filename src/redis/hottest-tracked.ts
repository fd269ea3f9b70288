import { withinTimeout } from './connection.ts';
import { type HeatedKey, hottestNow } from './hottest-keys.ts';
import type { TrackerKeys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { dueOf, type TrackedKey } from './tracked-key.ts';

/** One of the hottest keys of a tracker. */
export interface HottestKey extends HeatedKey {
  readonly due: TrackedKey['due'];
}

/** Reads the hottest keys that have not faded, hottest first, with when they are looked at; changes nothing. */
export async function readHottest(
  redis: RedisClient,
  { heat, due }: TrackerKeys,
  at: { readonly count: number; readonly nowMs: number; readonly halfLifeMs: number },
): Promise<readonly HottestKey[]> {
  const hottest = await hottestNow(redis, heat, at);
  if (hottest.length === 0) return [];
  const asked = redis.zmscore(due, ...hottest.map(({ key }) => key));
  const dues = await withinTimeout(asked, `reading ${due}`);
  return hottest.map((one, index) => ({ ...one, due: dueOf(dues[index] ?? null) }));
}
