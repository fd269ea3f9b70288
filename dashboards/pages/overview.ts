import type { RequestHandler } from 'express';
import type { DashboardContext } from '../context.ts';
import { type Cells, cellsOf } from '../live/cells.ts';
import type { Poller } from '../live/poller.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';

const FIGURES = {
  state: 'State',
  reads: 'Reads, last minute',
  hits: 'Hit rate',
  tiers: 'Memory, Redis, stale',
  waits: 'Waited for a load',
  loads: 'Loads, last minute',
  landed: 'Refreshes landed',
  lead: 'Life left when they land',
  tracked: 'Tracked keys',
  threshold: 'Threshold, recent reads',
  backlog: 'Backlog, keys',
  failing: 'Keys failing',
  load: 'Load time',
  wait: 'Queue wait',
  used: 'Refreshed lives',
  scheduler: 'Scheduler seen',
  worker: 'Worker seen',
  origin: 'Origin',
} as const;

const CHARTS = {
  hitPercent: 'Reads answered without a load, %',
  waitedPercent: 'Reads that waited for a load, %',
  loadsPerSecond: 'Loads per second',
  landedPerSecond: 'Refreshes landed per second',
  leadMs: 'Life left when refreshes land, ms',
  backlog: 'Backlog, keys',
  loadMs: 'Load time, ms',
  memoryBytes: 'Memory of the servers, MB',
} as const;

/** How the fleet is doing, kept up to date while it is open. */
export function overviewPage(context: DashboardContext, poller: Poller): RequestHandler {
  return async (_request, response) => {
    const { snapshot, error } = await poller.look();
    const cells = snapshot ? cellsOf(snapshot) : {};
    sendPage(response, {
      title: 'Overview',
      here: 'Overview',
      scripts: ['uplot.js', 'charts.js'],
      body: html`<h1>Overview</h1>
        ${error !== null && html`<p class="notice" data-tone="bad" data-outage>${error}</p>`}
        ${loadersSection(context, cells)}
        ${chartsSection()}
        ${serversSection(cells)}
        ${plansSection(context, cells)}`,
    });
  };
}

function loadersSection({ loaders, settings }: DashboardContext, cells: Cells): Html {
  const { basePath } = settings;
  if (loaders.size === 0) {
    return html`<p class="empty">No loader is defined here.</p>`;
  }
  const cards = [...loaders.keys()].map(
    (name) => html`<article class="card" aria-labelledby="loader-${name}">
      <h3 id="loader-${name}"><a href="${basePath}/keys/${name}">${name}</a></h3>
      <dl>${Object.entries(FIGURES).map(
        ([figure, label]) =>
          html`<div><dt>${label}</dt>${cell(`loader:${name}:${figure}`, cells)}</div>`,
      )}</dl>
      <p><a href="${basePath}/queues/queue/${name}">Queue<span class="hidden"> of ${name}</span></a></p>
    </article>`,
  );
  return html`<section aria-labelledby="loaders"><h2 id="loaders">Loaders</h2>
    <div class="cards">${cards}</div></section>`;
}

function chartsSection(): Html {
  return html`<section aria-labelledby="charts"><h2 id="charts">The last hour</h2>
    <div class="charts">${Object.entries(CHARTS).map(
      ([name, label]) => html`<figure><figcaption>${label}</figcaption>
        <div class="chart" data-chart="${name}"><p class="empty">Nothing yet: figures come every 5 s.</p></div></figure>`,
    )}</div></section>`;
}

function serversSection(cells: Cells): Html {
  const rows = (['cache', 'queue'] as const).map(
    (role) => html`<article class="card" aria-labelledby="server-${role}">
      <h3 id="server-${role}">${role === 'cache' ? 'Cache' : 'Queue and tracker'}</h3>
      <dl><div><dt>Memory</dt>${cell(`server:${role}:memory`, cells)}</div>
      <div><dt>When full</dt>${cell(`server:${role}:policy`, cells)}</div></dl></article>`,
  );
  return html`<section aria-labelledby="servers"><h2 id="servers">Redis</h2>
    <div class="cards">${rows}</div></section>`;
}

function plansSection({ warmUps, settings }: DashboardContext, cells: Cells): Html {
  const rows = warmUps.map(
    ({ name, loader, zone }) => html`<article class="card" aria-labelledby="plan-${name}">
      <h3 id="plan-${name}"><a href="${settings.basePath}/warm-ups#${name}">${name}</a></h3>
      <dl><div><dt>Loader</dt><dd>${loader.name}</dd></div>
      <div><dt>Next run</dt>${cell(`plan:${name}:next`, cells)}</div>
      <div><dt>Zone</dt><dd>${zone.name}</dd></div></dl></article>`,
  );
  return html`<section aria-labelledby="plans"><h2 id="plans">Next warm-ups</h2>
    ${rows.length > 0 ? html`<div class="cards">${rows}</div>` : html`<p class="empty">No warm-up is planned.</p>`}</section>`;
}

function cell(name: string, cells: Cells): Html {
  const { text = '–', tone = 'faint' } = cells[name] ?? {};
  return html`<dd data-cell="${name}" data-tone="${tone}">${text}</dd>`;
}
