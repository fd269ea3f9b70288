import type { RequestHandler } from 'express';
import type { DashboardContext } from '../context.ts';
import { unknownLoader } from '../named-key.ts';
import { sendError } from '../pages/send-error.ts';
import { textsOf } from './texts-of.ts';

/** `POST /actions/loader`: pauses or resumes refreshing in the whole fleet. */
export function loaderAction(context: DashboardContext): RequestHandler {
  return async (request, response) => {
    const { loader: name, action } = textsOf(request.body);
    response.locals.auditDetails = { action, loader: name };
    const loader = context.loaders.get(name);
    if (!loader) return sendError(response, 404, unknownLoader(context, name));
    if (action !== 'pause' && action !== 'resume') {
      return sendError(response, 400, 'There is no such action.');
    }
    await context.control[action](loader);
    response.redirect(303, `${context.settings.basePath}/keys/${name}?done=${action}`);
  };
}
