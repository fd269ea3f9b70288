import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';
import { html } from './html.ts';
import { sendPage } from './layout.ts';

/** Answers with a page for browsers, a line of text for others. */
export function sendError(response: Response, status: number, text: string): void {
  const { req: request } = response;
  const title = `${status} ${STATUS_CODES[status]}`;
  response.status(status);
  if (request.accepts(['text', 'html']) !== 'html') {
    response.type('text/plain').send(`${title}: ${text}\n`);
    return;
  }
  sendPage(response, {
    title,
    here: null,
    body: html`<section class="notice" data-tone="${status >= 500 ? 'bad' : 'warn'}">
      <h1>${title}</h1>
      <p>${text}</p>
      ${status === 401 ? null : html`<p><a href="${response.locals.basePath}/">Back to the overview</a></p>`}
    </section>`,
  });
}
