import { loadersOf, type RoleFlags, roleOptions } from '../../workers/run-role.ts';
import type { Invalidation } from '../core/invalidation.ts';
import { createCache } from '../create-cache.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { countEntries } from './count-entries.ts';
import {
  type InvalidateArguments,
  invalidationOf,
  type TargetFlags,
} from './invalidation-target.ts';
import { loaderNamed } from './named-loaders.ts';
import { withSession } from './session.ts';

export type InvalidateFlags = RoleFlags &
  TargetFlags & { readonly dryRun?: boolean; readonly json?: boolean };

/** Invalidates what the command line names, as `cache.invalidate…` does, or counts it. */
export async function runInvalidate(
  given: InvalidateArguments,
  flags: InvalidateFlags,
): Promise<void> {
  const what = invalidationOf(given, flags);
  if ('loader' in what) await loaderNamed(what.loader, flags);
  const { loaders } = await loadersOf(flags);
  // Both begin with a connection of their own, so that a server that is not there is told first.
  const count = await withSession(flags, (session) =>
    flags.dryRun ? countEntries(what, session) : carryOut(what, loaders, flags),
  );
  const { soft, kind } = what;
  const isDryRun = flags.dryRun ?? false;
  const text = flags.json
    ? JSON.stringify({ kind, soft, dryRun: isDryRun, entries: count })
    : sentence(count, { isDryRun, soft });
  process.stdout.write(`${text}\n`);
}

async function carryOut(
  what: Invalidation,
  loaders: readonly AnyLoader[],
  flags: InvalidateFlags,
): Promise<number> {
  const cache = createCache({ ...roleOptions(flags), loaders, recording: false });
  cache.on('server:unsuitable', () => undefined); // For `everwarm doctor` to say.
  try {
    await cache.ready();
    return await cache.applyInvalidation(what);
  } finally {
    await cache.close();
  }
}

function sentence(
  count: number,
  { isDryRun, soft }: { readonly isDryRun: boolean; readonly soft: boolean },
): string {
  const entries = `${count} ${count === 1 ? 'entry' : 'entries'}`;
  if (isDryRun) return `${entries} would be ${soft ? 'marked as stale' : 'removed'}; nothing was`;
  return `${entries} ${count === 1 ? 'was' : 'were'} ${soft ? 'marked as stale' : 'removed'}`;
}
