import { fadedBelow } from '../policy/heat.ts';
import { withinTimeout } from './connection.ts';
import type { RedisClient } from './redis-client.ts';

const FROZEN_SECONDS = 86_400;
const PAGE = 1_000;

/**
 * The hottest keys of a heat, hottest first. With a name, as they were when they were first asked for under
 * that: whoever asks again within a day gets the same.
 */
export async function* hottestKeys(
  redis: RedisClient,
  heat: string,
  { count, name }: { readonly count: number; readonly name: string | null },
): AsyncGenerator<string> {
  const from = name === null ? heat : await freeze(redis, heat, { count, name });
  for (let first = 0; first < count; first += PAGE) {
    const last = Math.min(count, first + PAGE) - 1;
    const keys = await withinTimeout(redis.zrevrange(from, first, last), `reading ${from}`);
    yield* keys;
    if (keys.length < PAGE) return;
  }
}

async function freeze(
  redis: RedisClient,
  heat: string,
  { count, name }: { readonly count: number; readonly name: string },
): Promise<string> {
  const frozen = `${heat}:at:${name}`;
  if ((await withinTimeout(redis.exists(frozen), `looking for ${frozen}`)) > 0) return frozen;
  const freezing = redis.zrangestore(frozen, heat, 0, count - 1, 'REV');
  await withinTimeout(freezing, `writing ${frozen}`);
  await redis.expire(frozen, FROZEN_SECONDS);
  return frozen;
}

/** A key of a heat that has not faded. */
export interface HeatedKey {
  readonly key: string;
  readonly logHeat: number;
}

/** The hottest keys of a heat that have not faded, hottest first. */
export async function hottestNow(
  redis: RedisClient,
  heat: string,
  at: { readonly count: number; readonly nowMs: number; readonly halfLifeMs: number },
): Promise<HeatedKey[]> {
  const flat = await withinTimeout(
    redis.zrevrangebyscore(heat, '+inf', fadedBelow(at), 'WITHSCORES', 'LIMIT', 0, at.count),
    `reading ${heat}`,
  );
  return Array.from({ length: flat.length / 2 }, (_, nth) => ({
    key: flat[2 * nth] ?? '',
    logHeat: Number(flat[2 * nth + 1]),
  }));
}
