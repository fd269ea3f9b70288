import type { RequestHandler } from 'express';
import type { Check } from '../../src/doctor/check.ts';
import { type Html, html } from './html.ts';
import { sendPage } from './layout.ts';

/** What was checked, what is wrong first. */
export function doctorPage(run: () => Promise<readonly Check[]>): RequestHandler {
  return async (_request, response) => {
    const checks = [...(await run())].sort((one, other) => rankOf(one) - rankOf(other));
    const wrong = checks.filter(({ ok }) => ok !== true).length;
    sendPage(response, {
      title: 'Doctor',
      here: 'Doctor',
      body: html`<h1>Doctor</h1>
        <p class="notice" data-tone="${wrong > 0 ? 'warn' : 'good'}">${
          checks.length === 0
            ? 'Nothing was checked.'
            : `${wrong === 0 ? 'All is well' : `${wrong} need attention`}, of ${checks.length} checked.`
        }</p>
        <ul class="checks">${checks.map(checkItem)}</ul>`,
    });
  };
}

const SIGNS = { bad: 'Failed', warn: 'Warning', good: 'Passed' } as const;

function checkItem(check: Check): Html {
  const tone = check.ok === true ? 'good' : check.ok === 'warning' ? 'warn' : 'bad';
  return html`<li class="card wide"><h2><span class="badge" data-tone="${tone}">${SIGNS[tone]}</span> ${check.name}</h2>
    <p>${check.message}</p>${check.fix !== null && html`<p><strong>What to do:</strong> ${check.fix}</p>`}</li>`;
}

function rankOf({ ok }: Check): number {
  if (ok === true) return 2;
  return ok === 'warning' ? 1 : 0;
}
