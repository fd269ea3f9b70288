import { type OriginBudget, rankOf, shareOf } from '../core/origin.ts';
import { printSpan } from '../core/print-span.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { isThere } from '../observe/loader-mode.ts';
import type { LoaderStatus } from '../observe/loader-status.ts';
import { MOST_KEYS_PER_JOB } from '../policy/batching.ts';
import type { Smoothed } from '../policy/load-time.ts';
import { type Check, failure, fine, warning } from './check.ts';

/** Mean absolute deviations above the mean, of which about one load in twenty takes longer. */
const DEVIATIONS_TO_P95 = 2;
/** More of a life spent loading leaves too little to be refreshed ahead in; leads end at 0.9. */
const MOST_LOADING = 0.5;

/** What there is to say of one loader: its roles, its load time, its origin. */
export function loaderChecks(loader: AnyLoader, status: LoaderStatus): readonly Check[] {
  if (loader.refresh.isOff) return [loadTimeCheck(loader, status.load)];
  return [
    roleCheck('scheduler', status),
    roleCheck('worker', status),
    pauseCheck(status),
    loadTimeCheck(loader, status.load),
    originCheck(loader, status),
  ].filter((check) => check !== null);
}

function roleCheck(role: 'scheduler' | 'worker', status: LoaderStatus): Check {
  const { loader, atMs, seen } = status;
  const name = `${role} of ${loader}`;
  const seenAtMs = role === 'scheduler' ? seen.schedulerAtMs : seen.workerAtMs;
  if (isThere(seenAtMs, atMs)) return fine(name, 'is there');
  const when =
    seenAtMs === null ? 'was never seen' : `was last seen ${printSpan(atMs - seenAtMs)} ago`;
  const fix = `run \`everwarm ${role}\` with this loader`;
  if (role === 'scheduler' && isThere(seen.shadowAtMs, atMs)) {
    return warning(name, 'only schedulers in shadow mode are there: nothing is refreshed', fix);
  }
  return failure(name, `${when}: nothing is refreshed ahead`, fix);
}

/** Null: it is not paused. */
function pauseCheck({ loader, atMs, pausedAtMs }: LoaderStatus): Check | null {
  if (pausedAtMs === null) return null;
  const message = `its refreshing has been paused for ${printSpan(atMs - pausedAtMs)}`;
  return warning(`pause of ${loader}`, message, `everwarm resume ${loader}`);
}

function loadTimeCheck(
  { name: loader, ttlMs }: Pick<AnyLoader, 'name' | 'ttlMs'>,
  load: Smoothed | null,
): Check {
  const name = `load time of ${loader}`;
  const ttl = `ttl ${printSpan(ttlMs)}`;
  if (load === null) return fine(name, `no load was timed yet; ${ttl}`);
  const p95Ms = load.meanMs + DEVIATIONS_TO_P95 * load.deviationMs;
  const message = `19 of 20 loads take up to ${printSpan(p95Ms)}; ${ttl}`;
  if (p95Ms <= MOST_LOADING * ttlMs) return fine(name, message);
  const why = 'a refresh would have to start before half of the life is over, and often lands late';
  return warning(name, `${message}: ${why}`, 'raise the ttl, or make the loader faster');
}

/** Null: it has no budget that could be too small. */
function originCheck(loader: AnyLoader, status: LoaderStatus): Check | null {
  if (loader.origin === null) return null;
  const name = `origin of ${loader.name}`;
  const most = mostRefreshesPerSecond(loader.origin, status.load);
  const { hotKeys } = status;
  const keysACall = loader.loadMany ? MOST_KEYS_PER_JOB : 1;
  const needed = (1_000 * hotKeys) / loader.ttlMs / keysACall;
  const need = `${hotKeys} hot keys need ${needed.toFixed(2)} calls a second`;
  if (most === null) return fine(name, need);
  const message = `${need}, refreshes may make ${most.toFixed(2)}`;
  if (needed <= most) return fine(name, message);
  const fix = `raise origin.rate or origin.concurrency to ${(needed / most).toFixed(1)} times as much, raise the ttl, or set refresh.threshold higher`;
  return warning(
    name,
    `${message}: ${Math.ceil(100 * (1 - most / needed))} % of them become misses`,
    fix,
  );
}

/** Calls a second that the budget leaves to refreshes; null: it does not bound them. */
function mostRefreshesPerSecond(
  { rate, concurrency }: OriginBudget,
  load: Smoothed | null,
): number | null {
  const rank = rankOf('refresh');
  const bounds = [
    rate && (1_000 * shareOf(rate.max, rank)) / rate.perMs,
    concurrency !== null && load && load.meanMs > 0
      ? (1_000 * shareOf(concurrency, rank)) / load.meanMs
      : null,
  ].filter((bound) => bound !== null);
  return bounds.length === 0 ? null : Math.min(...bounds);
}
