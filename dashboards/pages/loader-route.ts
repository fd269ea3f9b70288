import type { Request, RequestHandler, Response } from 'express';
import { printValue } from '../../src/core/errors.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { noticeOf } from '../actions/notices.ts';
import type { DashboardContext } from '../context.ts';
import { namedKey, unknownLoader } from '../named-key.ts';
import { type Html, html } from './html.ts';
import { jobKeys } from './job-keys.ts';
import { keyPart } from './key.ts';
import { loaderKeys } from './keys.ts';
import { sendPage } from './layout.ts';
import { sendError } from './send-error.ts';

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
        : await loaderKeys(context, loader, response);
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

async function showKey(
  context: DashboardContext,
  { loader, given }: { readonly loader: AnyLoader; readonly given: string },
  response: Response,
): Promise<void> {
  const found = await namedKey(context, loader, given);
  if (found.key === null) return sendError(response, 404, found.reason);
  const { key } = found;
  const part = await keyPart(context, { loader, key }, response);
  const shown = context.names.shown(key);
  const title = `${shown.slice(0, 60)} of ${loader.name}`;
  sendPage(response, { title, here: 'Keys', body: html`${notice(response.req)}${part}` });
}

function notice(request: Request): Html | null {
  const found = noticeOf(request.query.done);
  return found && html`<p class="notice" role="status" data-tone="${found.tone}">${found.text}</p>`;
}
