import type { Response } from 'express';
import { userOf } from '../security/request-user.ts';
import { Html, html } from './html.ts';

export interface Page {
  readonly title: string;
  /** Which link of the navigation is this page's; null: none. */
  readonly here: keyof typeof LINKS | null;
  readonly body: Html;
  /** Scripts of the page, beside the one that all have. */
  readonly scripts?: readonly string[];
}

const LINKS = {
  Overview: '/',
  Keys: '/keys',
  'Warm-ups': '/warm-ups',
  Doctor: '/doctor',
  Queues: '/queues',
} as const;

/** The header, the navigation and what all pages share, around a page's own part. */
export function sendPage(response: Response, page: Page): void {
  const base = String(response.locals.basePath ?? '');
  const { name, role } = userOf(response);
  const isOpen = response.statusCode !== 401;
  const who = name === 'anonymous' || !isOpen ? null : html`<p class="who">${name}, ${role}</p>`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${page.title} · Everwarm</title>
<link rel="icon" href="${base}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${base}/assets/style.css">
${(page.scripts ?? []).includes('charts.js') && html`<link rel="stylesheet" href="${base}/assets/uplot.css">`}
</head>
<body data-base="${base}">
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="${base}/"><img src="${base}/assets/icon.svg" alt="" width="24" height="24"> Everwarm</a>
${isOpen && navigation(base, page.here)}
${who}
</header>
${isOpen && html`<p id="connection" role="status" hidden></p>`}
<main id="main">
${page.body}
</main>
${isOpen && [...(page.scripts ?? []), 'live.js'].map((file) => html`<script src="${base}/assets/${file}" defer></script>`)}
</body>
</html>`;
  // Figures and tokens of a moment: no cache may keep them.
  response.set('Cache-Control', 'no-store').type('html').send(document.markup);
}

function navigation(base: string, here: Page['here']): Html {
  const links = Object.entries(LINKS).map(([text, path]) => {
    const current = text === here ? new Html(' aria-current="page"') : null;
    return html`<li><a href="${base}${path}"${current}>${text}</a></li>`;
  });
  return html`<nav aria-label="Main"><ul>${links}</ul></nav>`;
}
