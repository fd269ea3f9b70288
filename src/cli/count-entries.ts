import { Glob } from '../core/glob.ts';
import type { Invalidation } from '../core/invalidation.ts';
import { EntryScan } from '../redis/entry-scan.ts';
import type { EntryName } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { TagIndex } from '../redis/tag-index.ts';
import type { Session } from './session.ts';

/** So many are told apart; of more, one that is found twice counts twice. */
const MOST_TOLD_APART = 1_000_000;

/** How many entries an invalidation would find now; changes nothing. */
export async function countEntries(what: Invalidation, session: Session): Promise<number> {
  const { cache } = session.servers;
  const seen = new Set<string>();
  let count = 0;
  await visitEntries(what, session, async (found) => {
    const fresh = found.filter(({ entryKey }) => !seen.has(entryKey));
    for (const { entryKey } of fresh) if (seen.size < MOST_TOLD_APART) seen.add(entryKey);
    count += await countPresent(cache, fresh); // A scan finds locks, too, an index what has expired.
  });
  return count;
}

type Visit = (found: readonly EntryName[]) => Promise<void>;

async function visitEntries(
  what: Invalidation,
  { servers: { cache, queue, clock }, keys }: Session,
  visit: Visit,
): Promise<void> {
  const scan = new EntryScan({ client: cache, keys, clock, passes: 1 });
  switch (what.kind) {
    case 'keys': {
      const { loader } = what;
      // Every version that has entries, or may get some.
      const versions = await queue.zrange(keys.versions(loader), '0', '-1');
      return visit(
        versions.flatMap((version) =>
          what.keys.map((key) => keys.named(loader, Number(version), key)),
        ),
      );
    }
    case 'tags': {
      const index = new TagIndex(queue, keys, clock);
      for (const tag of what.tags) await index.find(tag, visit);
      return;
    }
    case 'pattern': {
      const { loader, glob } = what;
      return scan.run({ loader, version: null, glob: new Glob(glob) }, visit);
    }
    case 'loader':
      return scan.run({ loader: what.loader, version: what.version, glob: null }, visit);
    case 'namespace':
      return scan.run({ loader: null, version: null, glob: null }, visit);
  }
}

async function countPresent(cache: RedisClient, found: readonly EntryName[]): Promise<number> {
  const present = await Promise.all(found.map(({ entryKey }) => cache.exists(entryKey)));
  return present.reduce((sum, one) => sum + one, 0);
}
