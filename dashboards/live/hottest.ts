import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { fadedBelow, recentReads } from '../../src/policy/heat.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import { decodeHeader, HEADER_BYTES } from '../../src/redis/entry.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import type { DashboardContext } from '../context.ts';

export interface ListedKey {
  readonly key: string;
  readonly recentReads: number;
  /** Null: there is no entry. Negative: it has expired. */
  readonly remainingMs: number | null;
  /** Null: nobody will look before it is read again. Negative: it is due. */
  readonly nextLookMs: number | null;
}

/** The hottest keys of a loader that have not faded, hottest first, in two round trips. */
export async function listHottest(
  { servers, keys: names }: DashboardContext,
  loader: AnyLoader,
  count: number,
): Promise<ListedKey[]> {
  const { cache, queue, clock } = servers;
  const { halfLifeMs } = new Tracker(queue, names, loader);
  const { heat, due } = names.tracker(loader, halfLifeMs);
  const nowMs = clock.now();
  const faded = fadedBelow({ nowMs, halfLifeMs });
  const found = await withinTimeout(
    queue.zrevrangebyscore(heat, '+inf', faded, 'WITHSCORES', 'LIMIT', 0, count),
    `reading ${heat}`,
  );
  const keys = found.filter((_, at) => at % 2 === 0);
  if (keys.length === 0) return [];
  const [dues, headers] = await withinTimeout(
    Promise.all([
      queue.zmscore(due, ...keys),
      Promise.all(
        keys.map((key) =>
          cache.getrangeBuffer(names.entry(loader, key), 0, HEADER_BYTES - 1).catch(absent),
        ),
      ),
    ]),
    `looking at keys of ${loader.name}`,
  );
  return keys.map((key, at) => {
    const logHeat = Number(found[2 * at + 1]);
    const header = decodeHeader(headers[at] ?? Buffer.alloc(0));
    const dueAt = dues[at] ?? null;
    return {
      key,
      recentReads: recentReads(logHeat, { nowMs, halfLifeMs }),
      remainingMs: header ? header.expiresAtMs - nowMs : null,
      nextLookMs: dueAt === null ? null : Number(dueAt) - nowMs,
    };
  });
}

/** Under an entry's name there may be something else; that the server is away, the others say. */
function absent(error: unknown): Buffer {
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return Buffer.alloc(0);
  throw error;
}
