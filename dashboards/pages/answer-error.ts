import type { ErrorRequestHandler, RequestHandler } from 'express';
import { messageOf, printValue } from '../../src/core/errors.ts';
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
// biome-ignore lint/complexity/useMaxParams: Express tells an error handler by its four parameters
export const answerError: ErrorRequestHandler = (error, request, response, _next) => {
  const status = statusOfError(error);
  if (status >= 500) {
    const text = `dashboard: ${request.method} ${request.path} failed: ${messageOf(error)}`;
    process.emitWarning(text, 'EverwarmWarning');
  }
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
};
