import { InvalidKeyError, printValue } from '../src/core/errors.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import { decodeKey } from '../src/loaders/key-codec.ts';
import { Tracker } from '../src/redis/tracker.ts';
import type { DashboardContext } from './context.ts';

/** A hash can stand for any of these. */
const MOST_HASHED = 2_000;

type NamedKey =
  | { readonly key: string; readonly reason: null }
  | { readonly key: null; readonly reason: string };

/** The key that an address or a form names, or why there is none. */
export async function namedKey(
  { names, keys, servers }: DashboardContext,
  loader: AnyLoader,
  given: string,
): Promise<NamedKey> {
  if (!names.isHash(given)) return checkedKey(given);
  const tracker = new Tracker(servers.queue, keys, loader);
  const key = names.find(given, (await tracker.hottestNow(MOST_HASHED, servers.clock.now())).keys);
  if (key !== null) return { key, reason: null };
  const reason = 'This hash stands for none of the hottest keys, or is from before a restart.';
  return { key: null, reason };
}

/** Text that no params have is refused: nothing could ever be found under it. */
function checkedKey(given: string): NamedKey {
  try {
    decodeKey(given);
    return { key: given, reason: null };
  } catch (error) {
    if (error instanceof InvalidKeyError) return { key: null, reason: error.message };
    throw error;
  }
}

export function unknownLoader({ loaders }: DashboardContext, name: string): string {
  const known = [...loaders.keys()].join(', ') || 'none';
  return `No loader ${printValue(name)} is defined here; there are: ${known}. A queue of that name may remain in Redis from before.`;
}
