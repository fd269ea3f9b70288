import type { RequestHandler } from 'express';
import type { AnyLoader, Loader } from '../../src/loaders/define-loader.ts';
import { decodeKey } from '../../src/loaders/key-codec.ts';
import { lookAtPlace } from '../../src/redis/entry-look.ts';
import { LoaderStatsStore } from '../../src/redis/loader-stats.ts';
import { RefreshPause } from '../../src/redis/refresh-pause.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import type { DashboardContext } from '../context.ts';
import { namedKey, unknownLoader } from '../named-key.ts';
import { sendError } from '../pages/send-error.ts';
import type { NoticeName } from './notices.ts';
import { textsOf } from './texts-of.ts';

/** Somebody waits for it: a job that nobody has begun by then is not wanted any more. */
const REFRESH_WITHIN_MS = 60_000;

type KeyAction = (context: DashboardContext, loader: AnyLoader, key: string) => Promise<NoticeName>;

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  refresh: enqueueRefresh,
  soften: (context, loader, key) => invalidate(context, [loader, key], 'soften'),
  delete: (context, loader, key) => invalidate(context, [loader, key], 'delete'),
};

/** `POST /actions/key` with a loader, a key and what to do. */
export function keyAction(context: DashboardContext): RequestHandler {
  const { loaders, names } = context;
  return async (request, response) => {
    const { loader: name, key: given, action } = textsOf(request.body);
    const shown = names.isHash(given) ? given : names.shown(given);
    response.locals.auditDetails = { action, loader: name, key: shown };
    const loader = loaders.get(name);
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!loader) return sendError(response, 404, unknownLoader(context, name));
    if (!act) return sendError(response, 400, 'There is no such action.');
    const { key, reason } = await namedKey(context, loader, given);
    if (key === null) return sendError(response, 404, reason);
    const done = await act(context, loader, key);
    const href = names.href(name, key);
    response.redirect(303, `${href}${href.includes('?') ? '&' : '?'}done=${done}`);
  };
}

async function invalidate(
  { cache }: DashboardContext,
  [loader, key]: readonly [AnyLoader, string],
  how: 'soften' | 'delete',
): Promise<NoticeName> {
  const known = loader as unknown as Loader<object, unknown>;
  const params = decodeKey(key) as object;
  const wasThere = await cache.invalidate(known, params, { soft: how === 'soften' });
  return wasThere ? how : 'nothing';
}

/** As a scheduler would: a worker loads it, unless a newer entry has come by then. */
async function enqueueRefresh(
  { servers, queueOf, keys }: DashboardContext,
  loader: AnyLoader,
  key: string,
): Promise<NoticeName> {
  const { cache, queue, clock } = servers;
  if ((await new RefreshPause(queue, keys, loader).sinceAtMs()) !== null) return 'paused';
  const entryKey = keys.entry(loader, key);
  const [{ entry }, { logHeat }] = await Promise.all([
    lookAtPlace(cache, { entryKey, lockKey: keys.lock(entryKey) }),
    new Tracker(queue, keys, loader).lookAt(key),
  ]);
  const header = entry === null || entry === 'foreign' ? null : entry.header;
  const nowMs = clock.now();
  const refresh = {
    key,
    seenCreatedAtMs: header?.createdAtMs ?? 0,
    logHeat: logHeat ?? Number.NaN,
    unreadLives: header?.unreadLives ?? 0,
    expiresAtMs: 0, // Before all others: somebody watches.
    isAlone: true,
  };
  await queueOf(loader).enqueue([refresh], {
    nowMs,
    deadlineAtMs: nowMs + REFRESH_WITHIN_MS,
  });
  await new LoaderStatsStore(queue, keys, loader).addEnqueued(1);
  return 'refresh';
}
