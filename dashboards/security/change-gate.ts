import type { RequestHandler } from 'express';
import { sendError } from '../pages/send-error.ts';
import type { Csrf } from './csrf.ts';
import { userOf } from './request-user.ts';

export interface ChangeGateParts {
  readonly csrf: Csrf;
  readonly readOnly: boolean;
}

/** Middleware: whoever sends anything but a GET must be an operator, and mean it. Bull Board's API is behind it too. */
export function changeGate({ csrf, readOnly }: ChangeGateParts): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    if (readOnly) return sendError(response, 403, 'This dashboard is read-only.');
    if (userOf(response).role !== 'operator') {
      return sendError(response, 403, 'Viewers cannot change anything: ask an operator.');
    }
    if (!csrf.isValid(request, response)) {
      const text =
        'The form is not from this dashboard, or from before it was restarted, or another dashboard was opened since.';
      return sendError(response, 403, `${text} Open the page again and repeat what you did.`);
    }
    next();
  };
}
