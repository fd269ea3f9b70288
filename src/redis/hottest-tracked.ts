import { fadedBelow } from '../policy/heat.ts';
import { withinTimeout } from './connection.ts';
import type { TrackerKeys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { dueOf, type TrackedKey } from './tracked-key.ts';

/** One of the hottest keys of a tracker. */
export interface HottestKey {
  readonly key: string;
  readonly logHeat: number;
  readonly due: TrackedKey['due'];
}

/** Reads the hottest keys that have not faded, hottest first, with when they are looked at; changes nothing. */
export async function readHottest(
  redis: RedisClient,
  { heat, due }: TrackerKeys,
  at: { readonly count: number; readonly nowMs: number; readonly halfLifeMs: number },
): Promise<readonly HottestKey[]> {
  const scored = await withinTimeout(
    redis.zrevrangebyscore(heat, '+inf', fadedBelow(at), 'WITHSCORES', 'LIMIT', 0, at.count),
    `reading ${heat}`,
  );
  const hottest = Array.from({ length: scored.length / 2 }, (_, index) => ({
    key: scored[2 * index] ?? '',
    logHeat: Number(scored[2 * index + 1]),
  }));
  if (hottest.length === 0) return [];
  const asked = redis.zmscore(due, ...hottest.map(({ key }) => key));
  const dues = await withinTimeout(asked, `reading ${due}`);
  return hottest.map((one, index) => ({ ...one, due: dueOf(dues[index] ?? null) }));
}
