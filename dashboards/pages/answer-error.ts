import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { EverwarmError, messageOf, printValue } from '../../src/core/errors.ts';
import type { DashboardContext } from '../context.ts';
import { statusOfError } from './error-status.ts';
import { html } from './html.ts';
import { sendPage } from './layout.ts';
import { sendError } from './send-error.ts';

const TEXTS: Readonly<Record<number, string>> = {
  400: 'The address or the form cannot be read.',
  413: 'That is more than this dashboard takes.',
  500: 'The dashboard failed here; its log says why.',
  503: 'Redis does not answer.',
};

export const answerNotFound: RequestHandler = (request, response) => {
  sendError(response, 404, `Nothing is at ${printValue(request.originalUrl)}.`);
};

/** The client learns the status, the log the reason: an error's text may quote Redis' address or a path. */
export function answerError(context: DashboardContext): ErrorRequestHandler {
  // biome-ignore lint/complexity/useMaxParams: Express tells an error handler by its four parameters
  return (error, request, response, _next) => {
    const status = statusOfError(error);
    if (status >= 500) tell(context, request, { status, error });
    answer(status, request, response);
  };
}

interface Failure {
  readonly status: number;
  readonly error: unknown;
}

function tell({ events, settings }: DashboardContext, request: Request, failure: Failure): void {
  const { status } = failure;
  const { method, path } = request;
  const error = settings.hideKeys ? withoutText(failure.error) : failure.error;
  if (events.listeners('dashboard:failed').size > 0) {
    events.emit('dashboard:failed', { method, path, status, error });
  } else {
    const text = `dashboard: ${method} ${path} failed: ${JSON.stringify(messageOf(error))}`;
    process.emitWarning(text, 'EverwarmWarning');
  }
}

/** What went wrong with a key names it. */
function withoutText(error: unknown): Error {
  const code = error instanceof EverwarmError ? error.code : 'an error';
  return new Error(`${code} (its text may name keys, which are hidden)`);
}

function answer(status: number, request: Request, response: Response): void {
  if (response.headersSent) return void response.destroy();
  if (status === 503 && request.method === 'GET' && request.accepts('html')) {
    sendPage(response.status(503), {
      title: 'Redis is away',
      here: null,
      // The script looks again, and reloads the page as soon as there is something to show.
      body: html`<section class="notice" data-tone="bad" data-outage><h1>Redis does not answer</h1>
        <p>This page cannot be shown now. It comes by itself as soon as Redis is back.</p></section>`,
    });
    return;
  }
  sendError(response, status, TEXTS[status] ?? TEXTS[400] ?? '');
}
