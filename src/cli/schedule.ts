import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import { LoaderRegistry } from '../loaders/registry.ts';
import { WarmUpQueue } from '../queue/warm-up-queue.ts';
import { WarmUpRuns } from '../redis/warm-up-runs.ts';
import { planRegistry } from '../warm/plan-registry.ts';
import { statusOf } from '../warm/read-status.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import type { WarmUpRunStatus, WarmUpStatus } from '../warm/warm-up-status.ts';
import { type WarmSession, withServers } from './warm-session.ts';

/** `everwarm schedule`: prints each plan with its last and its next run, in its local time. */
export async function runSchedule(flags: RoleFlags): Promise<void> {
  const { loaders, warmUps } = await loadersOf(flags);
  const plans = [...planRegistry(warmUps, new LoaderRegistry(loaders)).values()];
  const text =
    plans.length === 0
      ? 'the loaders file exports no warm-ups'
      : await withServers(flags, (session) => schedule(plans, session));
  process.stdout.write(`${text}\n`, () => process.exit());
}

async function schedule(plans: readonly WarmUp[], { servers, keys }: WarmSession): Promise<string> {
  const queue = new WarmUpQueue(servers.queue, keys);
  const unfinished = await queue.unfinished();
  await queue.close();
  const runs = new WarmUpRuns(servers.queue, keys);
  const nowMs = servers.clock.now();
  const all = await Promise.all(
    plans.map(async (plan) => about(plan, await statusOf(plan, { runs, unfinished, nowMs }))),
  );
  return all.join('\n\n');
}

function about(plan: WarmUp, status: WarmUpStatus): string {
  const local = (atMs: number | null): string =>
    atMs === null
      ? 'never'
      : plan.zone
          .text(atMs)
          .replace('T', ' ')
          .replace(/(?=[+-]\d\d:\d\d$)/, ' ');
  const { last, runs, nextPeakAtMs } = status;
  const peak = nextPeakAtMs === null ? '' : `, for the peak at ${local(nextPeakAtMs)}`;
  const lines = [
    `${status.name} (loader ${status.loader}, ${status.timezone})`,
    `  next  ${local(status.nextStartAtMs)}${peak}`,
    ...runs.map((run) => `  now   ${state(run)}`),
    last
      ? `  last  ${local(last.startedAtMs)} ${last.outcome} in ${Math.round((last.endedAtMs - last.startedAtMs) / 1_000)} s: ${last.done} loaded, ${last.skipped} fresh, ${last.failed} failed${last.error === null ? '' : ` (${last.error})`}`
      : '  last  none known',
  ];
  return lines.join('\n');
}

function state({ runId, state, progress }: WarmUpRunStatus): string {
  if (!progress) return `${state} (${runId})`;
  const { done, skipped, failed, total } = progress;
  const of = total === null ? '' : ` of ${total}`;
  return `${state} (${runId}): ${done + skipped + failed}${of} keys`;
}
