import type { RequestHandler, Response } from 'express';
import { printSpan } from '../../src/core/print-span.ts';
import type { QueuedRun } from '../../src/queue/warm-up-queue.ts';
import { leadMsOf } from '../../src/warm/planner.ts';
import type { WarmUp } from '../../src/warm/warm-up.ts';
import type { WarmUpStatus } from '../../src/warm/warm-up-status.ts';
import { noticeOf } from '../actions/notices.ts';
import type { DashboardContext } from '../context.ts';
import { readWarmUps } from '../live/snapshot.ts';
import { CSRF_FIELD, tokenOf } from '../security/csrf.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';
import { mayChange } from './may-change.ts';
import { printCount } from './print.ts';
import { endedText, progressText } from './run-text.ts';

const NEXT_RUNS = 3;
const HISTORY = 50;

/** What the plans did, do and will do. */
export function warmUpsPage(context: DashboardContext): RequestHandler {
  return async (request, response) => {
    const { warmUps, warmUpQueue, runs, servers } = context;
    const [statuses, ended, leads] = await Promise.all([
      readWarmUps(context),
      warmUps.length > 0 ? warmUpQueue.ended(HISTORY) : [],
      Promise.all(warmUps.map((plan) => leadMsOf(plan, runs))),
    ]);
    const nowMs = servers.clock.now();
    const plans = warmUps.map((plan, at) => {
      const next = nextStarts(plan, { nowMs, leadMs: leads[at] ?? 0 });
      return planSection(context, { plan, status: statuses[at], next, nowMs }, response);
    });
    const notice = noticeOf(request.query.done);
    sendPage(response, {
      title: 'Warm-ups',
      here: 'Warm-ups',
      body: html`<h1>Warm-ups</h1>
        ${notice && html`<p class="notice" role="status" data-tone="${notice.tone}">${notice.text}</p>`}
        ${plans.length > 0 ? plans : html`<p class="empty">No warm-up is planned: the loaders file exports none.</p>`}
        ${plans.length > 0 && historySection(context, ended)}`,
    });
  };
}

function nextStarts(
  plan: WarmUp,
  { nowMs, leadMs }: { readonly nowMs: number; readonly leadMs: number },
): number[] {
  const starts: number[] = [];
  let fromMs = nowMs;
  while (starts.length < NEXT_RUNS) {
    const fire = plan.times.next(fromMs, leadMs);
    if (fire === null) break;
    starts.push(fire.startAtMs);
    fromMs = fire.startAtMs;
  }
  return starts;
}

interface PlanFacts {
  readonly plan: WarmUp;
  readonly status: WarmUpStatus | undefined;
  readonly next: readonly number[];
  readonly nowMs: number;
}

function planSection(
  { settings }: DashboardContext,
  { plan, status, next, nowMs }: PlanFacts,
  response: Response,
): Html {
  const { name, loader, zone } = plan;
  const list = next.map(
    (atMs) => html`<li>${zone.text(atMs).replace('T', ' ')}, in ${printSpan(atMs - nowMs)}</li>`,
  );
  const last = status?.last ?? null;
  return html`<section class="card wide" aria-labelledby="${name}"><h2 id="${name}">${name}</h2>
    <dl><div><dt>Loader</dt><dd><a href="${settings.basePath}/keys/${loader.name}">${loader.name}</a></dd></div>
    <div><dt>Next runs, ${zone.name}</dt><dd>${list.length > 0 ? html`<ul class="list">${list}</ul>` : 'none: only by hand'}</dd></div>
    <div><dt>Last run</dt><dd data-tone="${last?.outcome === 'failed' ? 'bad' : 'plain'}">${last ? endedText(last, zone) : 'none is known'}</dd></div></dl>
    ${(status?.runs ?? []).map(
      ({
        runId,
        state,
        progress,
      }) => html`<div class="run"><p>${state}: ${runId}${progress && `, ${progressText(progress, nowMs)}`}</p>
      ${progress && progressBar(progress)}</div>`,
    )}
    ${
      mayChange(settings, response) &&
      html`<form method="post" action="${settings.basePath}/actions/warm-up">
      <input type="hidden" name="${CSRF_FIELD}" value="${tokenOf(response)}">
      <input type="hidden" name="plan" value="${name}">
      <button>Run now<span class="hidden">: ${name}</span></button></form>`
    }</section>`;
}

function progressBar({
  done,
  skipped,
  failed,
  total,
}: {
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly total: number | null;
}): Html | null {
  if (total === null || total === 0) return null;
  return html`<progress max="${total}" value="${done + skipped + failed}" aria-label="Keys done">${printCount(done)}</progress>`;
}

function historySection({ warmUps }: DashboardContext, ended: readonly QueuedRun[]): Html {
  const rows = ended.map((run) => {
    const zone = warmUps.find(({ name }) => name === run.plan)?.zone;
    const startedAt = zone
      ? zone.text(run.startAtMs).replace('T', ' ')
      : new Date(run.startAtMs).toISOString();
    return html`<tr><th scope="row">${run.plan}</th><td data-label="Wanted at">${startedAt}</td>
      <td data-label="Outcome" data-tone="${run.state === 'failed' ? 'bad' : 'plain'}">${outcomeText(run)}</td></tr>`;
  });
  return html`<section aria-labelledby="history"><h2 id="history">Runs that have ended</h2>
    ${
      rows.length > 0
        ? html`<table><thead><tr><th scope="col">Plan</th><th scope="col">Wanted at</th><th scope="col">Outcome</th></tr></thead><tbody>${rows}</tbody></table>`
        : html`<p class="empty">None within the last 8 days.</p>`
    }</section>`;
}

function outcomeText({ state, result, error }: QueuedRun): string {
  if (state === 'failed') return `failed: ${error ?? 'for no reason known'}`;
  if (result?.outcome === 'skipped') {
    return result.why === 'overlap' ? 'skipped: another run was under way' : 'skipped: too late';
  }
  if (!result) return 'completed';
  return `${printCount(result.done)} loaded, ${printCount(result.skipped)} fresh, ${printCount(result.failed)} failed`;
}
