import type { Response } from 'express';
import { printSpan } from '../../src/core/print-span.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import type { Explanation } from '../../src/observe/explanation.ts';
import { printThreshold } from '../../src/policy/explain.ts';
import type { DashboardContext } from '../context.ts';
import { decodedValue } from '../live/decoded-value.ts';
import { type JobOutcome, recentOutcomes } from '../live/recent-jobs.ts';
import { CSRF_FIELD, tokenOf } from '../security/csrf.ts';
import { type Html, html } from './html.ts';
import { mayChange } from './may-change.ts';
import { printBytes } from './print.ts';

const ACTIONS = {
  refresh: ['Refresh now', 'A worker loads it anew; readers get the present value meanwhile.'],
  soften: [
    'Invalidate softly',
    'Readers are answered with it while it is loaded anew, where the loader allows that.',
  ],
  delete: ['Delete', 'The next reader waits for a load.'],
} as const;

/** One key: what is planned for it and why, what is cached, and what can be done. */
export async function keyPart(
  context: DashboardContext,
  { loader, key }: { readonly loader: AnyLoader; readonly key: string },
  response: Response,
): Promise<Html> {
  const { explainer, names, settings } = context;
  const explanation = await explainer.explain(loader, key);
  const { bytes } = explanation.entry;
  const [value, outcomes] = await Promise.all([
    decodedValue(context, loader, { key, bytes }),
    recentOutcomes(context, loader, key),
  ]);
  return html`<p class="path"><a href="${settings.basePath}/keys/${loader.name}">${loader.name}</a></p>
    <h1 class="key">${names.shown(key) || '(empty text)'}</h1>
    <p class="notice" data-tone="${toneOf(explanation)}">This key ${explanation.summary}.</p>
    <section aria-labelledby="facts"><h2 id="facts">Facts</h2>
    <dl class="facts">${factsOf(explanation).map(([label, text]) => html`<div><dt>${label}</dt><dd>${names.masked(text, key)}</dd></div>`)}</dl></section>
    ${outcomesSection(context, key, outcomes)}
    <section aria-labelledby="value"><h2 id="value">Value</h2>
    ${value.isShown ? html`<pre tabindex="0" aria-labelledby="value">${value.text}</pre>` : html`<p class="empty">${value.text}</p>`}</section>
    ${mayChange(settings, response) && actionsSection(context, { loader, key }, tokenOf(response))}`;
}

function outcomesSection(
  { names, servers }: DashboardContext,
  key: string,
  outcomes: readonly JobOutcome[],
): Html {
  const nowMs = servers.clock.now();
  const rows = outcomes.map(
    ({ reason, endedAtMs, text }) =>
      html`<div><dt>${reason}, ${printSpan(Math.max(0, nowMs - endedAtMs))} ago</dt><dd>${names.masked(text, key)}</dd></div>`,
  );
  return html`<section aria-labelledby="outcomes"><h2 id="outcomes">Recent jobs</h2>
    ${rows.length > 0 ? html`<dl class="facts">${rows}</dl>` : html`<p class="empty">None of the last jobs of its loader carried this key.</p>`}</section>`;
}

function actionsSection(
  { names, settings }: DashboardContext,
  { loader, key }: { readonly loader: AnyLoader; readonly key: string },
  token: string,
): Html {
  const forms = Object.entries(ACTIONS).map(
    ([action, [label, what]]) => html`<form method="post" action="${settings.basePath}/actions/key">
      <input type="hidden" name="${CSRF_FIELD}" value="${token}">
      <input type="hidden" name="loader" value="${loader.name}">
      <input type="hidden" name="key" value="${names.shown(key)}">
      <button name="action" value="${action}" data-tone="${action === 'delete' ? 'bad' : 'plain'}" aria-describedby="${action}-what">${label}</button>
      <span id="${action}-what">${what}</span></form>`,
  );
  return html`<section class="actions" aria-labelledby="actions"><h2 id="actions">Actions</h2>${forms}</section>`;
}

function toneOf({ verdict, failure }: Explanation): string {
  if (failure !== null) return 'bad';
  return verdict === 'planned' || verdict === 'claimed' ? 'good' : 'plain';
}

function factsOf(explanation: Explanation): readonly (readonly [label: string, text: string])[] {
  const { heat, load, queueWait, leadMs, atMs, refreshAtMs, due, lock } = explanation;
  const until = (instantMs: number | null): string => {
    if (instantMs === null) return 'not planned';
    return instantMs > atMs ? `in ${printSpan(instantMs - atMs)}` : 'now';
  };
  const { recentReads, readsPerSecond, threshold, isTracked } = heat;
  return [
    [
      'Heat',
      isTracked
        ? `${recentReads.toFixed(1)} recent reads, ${readsPerSecond.toFixed(3)} per second`
        : 'not tracked',
    ],
    ['Threshold', `${printThreshold(threshold)} recent reads`],
    ...entryFacts(explanation),
    ['Load time', spanText(load)],
    ['Queue wait', spanText(queueWait)],
    ['Lead', printSpan(leadMs)],
    [
      'Next look',
      `${until(due?.atMs ?? null)}${due && due.kind !== 'look' ? `, ${due.kind}` : ''}`,
    ],
    ['Refresh', until(refreshAtMs)],
    ['Last outcome', failureText(explanation)],
    [
      'Load under way',
      lock.isHeld ? `yes, its lock holds for another ${printSpan(lock.remainingMs)}` : 'no',
    ],
    ['Mode', modeText(explanation)],
  ];
}

function entryFacts({ entry }: Explanation): readonly (readonly [string, string])[] {
  const { state, remainingMs, ageMs, bytes, codec, compression, unreadLives } = entry;
  if (state === 'missing' || state === 'unreadable') return [['Entry', state]];
  const left =
    remainingMs >= 0
      ? `expires in ${printSpan(remainingMs)}`
      : `expired ${printSpan(-remainingMs)} ago`;
  const unread = unreadLives > 0 ? `, ${unreadLives} unread lives before it` : '';
  const form = codec ?? 'an unknown codec';
  return [
    ['Entry', `${state}, ${left}, ${printSpan(ageMs)} old${unread}`],
    ['Size', `${printBytes(bytes)} as ${compression ? `${form}, ${compression}` : form}`],
  ];
}

function spanText(span: Explanation['load']): string {
  if (span === null || span.meanMs === 0) return 'not known';
  return `${printSpan(span.meanMs)} ± ${printSpan(span.deviationMs)}`;
}

function failureText({ failure, atMs }: Explanation): string {
  if (failure === null) return 'landed, or nothing yet';
  const { attempts, error, retryAtMs } = failure;
  const next = retryAtMs > atMs ? `next try in ${printSpan(retryAtMs - atMs)}` : 'next try is due';
  return `failed, attempt ${attempts}: ${error}; ${next}`;
}

function modeText({ pausedAtMs, mode, atMs }: Explanation): string {
  return pausedAtMs === null ? mode : `paused for ${printSpan(Math.max(0, atMs - pausedAtMs))}`;
}
