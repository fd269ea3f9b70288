import { LoaderError, messageOf } from '../core/errors.ts';

/** What a refresh job carries, readable as it stands on the dashboard. The lists run in parallel. */
export interface RefreshJobData {
  readonly loader: string;
  /** The loader's version it was planned for: workers of another skip it. */
  readonly version: number;
  readonly reason: 'refresh';
  /** Instants of the queue server, epoch ms: after the deadline the keys belong to the next claim. */
  readonly enqueuedAtMs: number;
  readonly deadlineAtMs: number;
  readonly keys: readonly string[];
  /** createdAt of the entry the plan saw, or 0: a newer entry needs no refresh. */
  readonly seen: readonly number[];
  readonly heat: readonly (number | null)[];
  readonly unread: readonly number[];
}

/** One key of a job. */
export interface RefreshKey {
  readonly key: string;
  readonly seenCreatedAtMs: number;
  readonly logHeat: number;
  readonly unreadLives: number;
}

/** What became of a job: it fails only if every key did. */
export interface RefreshJobResult {
  readonly refreshed: number;
  readonly skipped: number;
  readonly failed: readonly { readonly key: string; readonly error: string }[];
}

/** The keys of a job; null for data that no scheduler of Everwarm has made. */
export function keysOf(data: RefreshJobData): readonly RefreshKey[] | null {
  if (!isRefreshJob(data)) return null;
  return data.keys.map((key, at) => ({
    key,
    seenCreatedAtMs: data.seen[at] ?? 0,
    logHeat: data.heat[at] ?? Number.NaN,
    unreadLives: data.unread[at] ?? 0,
  }));
}

// Times that are no numbers would end up in the loader's shared estimates, and stop its refreshes.
function isRefreshJob(data: unknown): data is RefreshJobData {
  if (data === null || typeof data !== 'object') return false;
  const { keys, seen, heat, unread, ...single } = data as Partial<RefreshJobData>;
  const numbers = [single.version, single.enqueuedAtMs, single.deadlineAtMs];
  return (
    [keys, seen, heat, unread].every(Array.isArray) &&
    numbers.every(Number.isFinite) &&
    (keys ?? []).every((key) => typeof key === 'string')
  );
}

/** What a job fails with: without its keys, which dashboards may have to hide. */
export function everyKeyFailed(
  outcomes: readonly { readonly kind: string; readonly error?: unknown }[],
): Error {
  const errors = outcomes.flatMap(({ kind, error }) => (kind === 'failed' ? [error] : []));
  const [first] = errors;
  const why = first instanceof LoaderError ? (first.cause ?? first) : first;
  return new Error(`every key failed (${errors.length}), the first: ${messageOf(why)}`);
}
