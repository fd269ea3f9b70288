import { messageOf } from '../src/core/errors.ts';
import type { EventMap, EventName } from '../src/core/events.ts';
import { printSpan } from '../src/core/print-span.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  /** Comes for many keys at a time: counted like trouble, though it is none. */
  readonly isFrequent?: true;
}

type Lines = { readonly [N in EventName]?: (event: EventMap[N]) => Line | null };

const WHY_SKIPPED = {
  overlap: 'the run before is still under way',
  late: 'nobody could start it in time',
} as const;

const NO_CONNECTION = "Stream isn't writeable and enableOfflineQueue options is false";

/**
 * What the log says of each event that an operator has to know, and at which level. Keys stand only in
 * what went wrong with one key.
 */
export const EVENT_LINES: Lines = {
  'server:unsuitable': ({ error }) => warn(error.message),
  'redis:failed': ({ role, error }) => warn(`${role} Redis: ${reasonOf(error)}`),
  'dashboard:failed': ({ method, path, error }) =>
    failed(`${method} ${path} failed: ${reasonOf(error)}`),
  'breaker:opened': ({ role, node }) =>
    warn(`${server(role, node)} is not asked any more, but for a probe now and then`),
  'breaker:closed': ({ role, node }) => info(`${server(role, node)} is asked again`),
  'store:failed': ({ loader, key, error }) =>
    failed(`a value of ${loader} ${key} was not stored: ${reasonOf(error)}`),
  'schema:mismatched': ({ loader, key, at, issues }) =>
    failed(`${loader} ${key} is not what its schema describes (at ${at}): ${issues}`),
  'lock:lost': ({ loader, key }) => warn(`lost the lock of ${loader} ${key}`),
  'load:failed': ({ loader, key, reason, error }) =>
    reason === 'warm' ? failed(`loading ${loader} ${key} ahead failed: ${reasonOf(error)}`) : null,
  'refresh:failed': ({ loader, key, error, retryAtMs }) =>
    failed(`refresh of ${loader} ${key} failed: ${reasonOf(error)}; next try ${time(retryAtMs)}`),
  'invalidation:failed': ({ kind, loader, during, error }) =>
    warn(`an invalidation (${kind}, ${loader ?? 'all'}) failed (${during}): ${reasonOf(error)}`),
  'reads:dropped': ({ loader, keys, error }) =>
    warn(`reads of ${keys} keys of ${loader} were not recorded: ${reasonOf(error)}`),
  'tracker:limited': ({ loader, why, keys, trimmed, usedShare }) => {
    const reason = why === 'bytes' ? 'it is as large as it may be' : 'the queue Redis is full';
    const used = `${Math.round(usedShare * 100)} % of its memory used`;
    return warn(
      `the tracker of ${loader} takes no new keys: ${reason} (${keys} keys, ${trimmed} forgotten, ${used})`,
    );
  },
  'origin:opened': ({ loader, retryAtMs }) =>
    failed(`the origin of ${loader} failed too often: it is not called before ${time(retryAtMs)}`),
  'origin:closed': ({ loader }) => info(`the origin of ${loader} is called again`),
  'origin:paused': ({ loader, retryAtMs }) =>
    warn(`the origin of ${loader} asked not to be called before ${time(retryAtMs)}`),
  'warmup:started': ({ plan, runId, position }) => {
    const at = position > 0 ? `, from key ${position} on` : '';
    return info(`warm-up ${plan} starts (${runId})${at}`);
  },
  'warmup:completed': ({ plan, done, skipped, failed, refused, tookMs }) => {
    const counts = `${done} loaded, ${skipped} fresh, ${failed} failed, ${refused} refused`;
    return info(`warm-up ${plan} is done: ${counts}, in ${Math.round(tookMs / 1_000)} s`);
  },
  'warmup:skipped': ({ plan, runId, why }) =>
    warn(`warm-up ${plan} is skipped (${runId}): ${WHY_SKIPPED[why]}`),
  'warmup:failed': ({ plan, error }) => failed(`warm-up ${plan} failed: ${reasonOf(error)}`),
  'warmup:refused': ({ plan, error }) => warn(`warm-up ${plan}: ${reasonOf(error)}`),
  'warm:failed': ({ loader, key, error }) =>
    failed(`warming ${loader} ${key} failed: ${reasonOf(error)}`),
  'warm:stalled': ({ loader, jobs, silentMs }) =>
    warn(`no worker has taken any of ${jobs} warm-up jobs of ${loader} for ${printSpan(silentMs)}`),
  'refresh:planned': ({ loader, why }) => ({
    level: 'info',
    text: `shadow: would refresh a key of ${loader} that is ${why}`,
    isFrequent: true,
  }),
};

/** Told at level debug alone; nobody listens to these otherwise. */
export const DEBUG_LINES: Lines = {
  'tick:completed': ({ loader, claimed, enqueued, dropped, tickMs }) =>
    debug(
      `tick of ${loader}: ${claimed} claimed, ${enqueued} enqueued, ${dropped} dropped, ${printSpan(tickMs)}`,
    ),
  'refresh:completed': ({ loader, loadMs, leadMs }) =>
    debug(
      `a key of ${loader} was refreshed in ${printSpan(loadMs)}, ${printSpan(leadMs)} before it was stale`,
    ),
  'refresh:skipped': ({ loader, why }) => debug(`a refresh of ${loader} was skipped: ${why}`),
};

const debug = (text: string): Line => ({ level: 'debug', text });
const info = (text: string): Line => ({ level: 'info', text });
const warn = (text: string): Line => ({ level: 'warn', text });
const failed = (text: string): Line => ({ level: 'error', text });

function server(role: string, node: string): string {
  return node === '' ? `the ${role} Redis` : `the ${role} Redis at ${node}`;
}

function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** ioredis tells of a missing connection by its stream and options, which say nothing to an operator. */
function reasonOf(error: unknown): string {
  const text = messageOf(error);
  return text.replace(NO_CONNECTION, 'there is no connection');
}
