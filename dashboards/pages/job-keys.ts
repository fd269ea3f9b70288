import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import type { DashboardContext } from '../context.ts';
import { keysOfJob } from '../job-format.ts';
import { type Html, html } from './html.ts';

/** Links to the keys of one job; null: there is no such job. */
export async function jobKeys(
  { queueOf, names, settings }: DashboardContext,
  loader: AnyLoader,
  jobId: string,
): Promise<Html | null> {
  const asked = queueOf(loader).queue.getJob(jobId);
  const job = await withinTimeout(asked, `asking for a job of ${loader.name}`);
  if (!job) return null;
  const links = keysOfJob(job.data).map(
    (key) =>
      html`<li><a class="key" href="${names.href(loader.name, key)}">${names.shown(key) || '(empty text)'}</a></li>`,
  );
  return html`<p class="path"><a href="${settings.basePath}/keys/${loader.name}">${loader.name}</a></p>
    <h1>Keys of job ${jobId}</h1>
    ${links.length > 0 ? html`<ul class="list">${links}</ul>` : html`<p class="empty">The job names no key.</p>`}`;
}
