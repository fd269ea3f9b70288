import type { RequestHandler, Response } from 'express';
import { printSpan } from '../../src/core/print-span.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { type HotKey, readHotKeys } from '../../src/observe/hot-keys.ts';
import { RefreshPause } from '../../src/redis/refresh-pause.ts';
import type { DashboardContext } from '../context.ts';
import { CSRF_FIELD, tokenOf } from '../security/csrf.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';
import { mayChange } from './may-change.ts';

const SHOWN_OF_EACH = 10;
const SHOWN_OF_ONE = 100;

/** The hottest keys of every loader. */
export function keysPage(context: DashboardContext): RequestHandler {
  return async (_request, response) => {
    const loaders = [...context.loaders.values()];
    const lists = await Promise.all(
      loaders.map((loader) => hottest(context, loader, SHOWN_OF_EACH)),
    );
    sendPage(response, {
      title: 'Keys',
      here: 'Keys',
      body: html`<h1>Hottest keys</h1>
        ${loaders.map((loader, at) => keysSection(context, loader, lists[at] ?? []))}`,
    });
  };
}

/** The hottest keys of one loader, and a way to any key. */
export async function loaderKeys(
  context: DashboardContext,
  loader: AnyLoader,
  response: Response,
): Promise<Html> {
  const { servers, keys: names, settings } = context;
  const [keys, pausedAtMs] = await Promise.all([
    hottest(context, loader, SHOWN_OF_ONE),
    new RefreshPause(servers.queue, names, loader).sinceAtMs(),
  ]);
  return html`<h1>Keys of ${loader.name}</h1>
    <form class="find" action="${context.settings.basePath}/keys/${loader.name}" method="get">
      <label for="key">Key text, as jobs and events show it</label>
      <div class="find-row"><input id="key" name="key" required maxlength="4096" autocomplete="off" spellcheck="false">
      <button>Explain</button></div>
    </form>
    ${keysTable(context, loader, keys)}
    ${mayChange(settings, response) && pauseForm(settings.basePath, { loader, pausedAtMs }, tokenOf(response))}`;
}

function hottest(
  { servers: { cache, queue, clock }, keys }: DashboardContext,
  loader: AnyLoader,
  count: number,
): Promise<readonly HotKey[]> {
  return readHotKeys({ cache, queue, keys, clock }, loader, count);
}

function pauseForm(
  basePath: string,
  { loader, pausedAtMs }: { readonly loader: AnyLoader; readonly pausedAtMs: number | null },
  token: string,
): Html {
  const [action, label] =
    pausedAtMs === null ? ['pause', 'Pause refreshing'] : ['resume', 'Resume refreshing'];
  return html`<section class="actions" aria-labelledby="actions"><h2 id="actions">Actions</h2>
    <form method="post" action="${basePath}/actions/loader">
      <input type="hidden" name="${CSRF_FIELD}" value="${token}">
      <input type="hidden" name="loader" value="${loader.name}">
      <button name="action" value="${action}">${label}</button>
      <span>In the whole fleet. Readers go on loading what they miss.</span></form></section>`;
}

function keysSection(context: DashboardContext, loader: AnyLoader, keys: readonly HotKey[]): Html {
  const { name } = loader;
  return html`<section aria-labelledby="keys-${name}">
    <h2 id="keys-${name}"><a href="${context.settings.basePath}/keys/${name}">${name}</a></h2>
    ${keysTable(context, loader, keys)}</section>`;
}

function keysTable(
  { names, servers }: DashboardContext,
  loader: AnyLoader,
  keys: readonly HotKey[],
): Html {
  if (keys.length === 0) {
    return html`<p class="empty">No key is tracked: none has been read of late.</p>`;
  }
  const nowMs = servers.clock.now();
  const rows = keys.map(
    ({ key, recentReads, due, ...entry }) => html`<tr>
      <th scope="row"><a class="key" href="${names.href(loader.name, key)}">${names.shown(key) || '(empty text)'}</a></th>
      <td data-label="Recent reads">${recentReads.toFixed(1)}</td>
      <td data-label="Remaining life">${lifeText(entry)}</td>
      <td data-label="Next look">${lookText(due, nowMs)}</td></tr>`,
  );
  return html`<table><caption class="hidden">Hottest keys of ${loader.name}</caption>
    <thead><tr><th scope="col">Key</th><th scope="col">Recent reads</th><th scope="col">Remaining life</th><th scope="col">Next look</th></tr></thead>
    <tbody>${rows}</tbody></table>`;
}

function lifeText({ state, remainingMs }: Pick<HotKey, 'state' | 'remainingMs'>): string {
  if (state === 'invalidated') return state;
  if (remainingMs === null) return 'no entry';
  return remainingMs > 0 ? printSpan(remainingMs) : `expired ${printSpan(-remainingMs)} ago`;
}

function lookText(due: HotKey['due'], nowMs: number): string {
  if (due === null) return 'not planned';
  const inMs = due.atMs - nowMs;
  if (inMs <= 0) return 'now';
  if (due.kind === 'claim') return `claimed for ${printSpan(inMs)}`;
  return `in ${printSpan(inMs)}${due.kind === 'backoff' ? ', after a backoff' : ''}`;
}
