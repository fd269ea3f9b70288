import type { Request, RequestHandler, Response } from 'express';
import { InvalidKeyError, printValue } from '../../src/core/errors.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { decodeKey } from '../../src/loaders/key-codec.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { noticeOf } from '../actions/notices.ts';
import type { DashboardContext } from '../context.ts';
import { html } from './html.ts';
import { jobKeys } from './job-keys.ts';
import { keyPart } from './key.ts';
import { loaderKeys } from './keys.ts';
import { sendPage } from './layout.ts';
import { sendError } from './send-error.ts';

/** A hash can stand for any of these. */
const MOST_HASHED = 2_000;

/** `/keys/:loader`, perhaps with `?key=` or `?job=`, and `/keys/:loader/:key`. */
export function loaderPage(context: DashboardContext): RequestHandler {
  return async (request, response) => {
    const name = String(request.params.loader);
    const loader = context.loaders.get(name);
    if (!loader) return sendError(response, 404, unknownLoader(context, name));
    const given = request.params.key ?? request.query.key;
    if (typeof given === 'string') return showKey(context, { loader, given }, response);
    const { job } = request.query;
    const body =
      typeof job === 'string'
        ? await jobKeys(context, loader, job)
        : await loaderKeys(context, loader);
    if (body === null) {
      return sendError(
        response,
        404,
        `There is no job ${printValue(job)} in the queue of ${name}.`,
      );
    }
    sendPage(response, {
      title: `Keys of ${name}`,
      here: 'Keys',
      body: html`${notice(request)}${body}`,
    });
  };
}

export function unknownLoader({ loaders }: DashboardContext, name: string): string {
  const known = [...loaders.keys()].join(', ') || 'none';
  return `No loader ${printValue(name)} is defined here; there are: ${known}. A queue of that name may remain in Redis from before.`;
}

/** The key that a page or form names; null: it does not say which. */
export async function resolveKey(
  { names, keys, servers }: DashboardContext,
  loader: AnyLoader,
  given: string,
): Promise<string | null> {
  if (!names.isHash(given)) {
    decodeKey(given); // Refuses text that no params have: nothing could ever be found under it.
    return given;
  }
  const tracker = new Tracker(servers.queue, keys, loader);
  return names.find(given, await tracker.hottestNow(MOST_HASHED, servers.clock.now()));
}

async function showKey(
  context: DashboardContext,
  { loader, given }: { readonly loader: AnyLoader; readonly given: string },
  response: Response,
): Promise<void> {
  const found = await keyOrReason(context, loader, given);
  if (found.key === null) return sendError(response, 404, found.reason);
  const { key } = found;
  const part = await keyPart(context, { loader, key }, response);
  const shown = context.names.shown(key);
  const title = `${shown.slice(0, 60)} of ${loader.name}`;
  sendPage(response, { title, here: 'Keys', body: html`${notice(response.req)}${part}` });
}

async function keyOrReason(
  context: DashboardContext,
  loader: AnyLoader,
  given: string,
): Promise<{ readonly key: string | null; readonly reason: string }> {
  try {
    const key = await resolveKey(context, loader, given);
    return {
      key,
      reason: 'This hash stands for none of the hottest keys, or is from before a restart.',
    };
  } catch (error) {
    if (error instanceof InvalidKeyError) return { key: null, reason: error.message };
    throw error;
  }
}

function notice(request: Request) {
  const found = noticeOf(request.query.done);
  return found && html`<p class="notice" role="status" data-tone="${found.tone}">${found.text}</p>`;
}
