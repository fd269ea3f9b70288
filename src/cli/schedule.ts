import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import { LoaderRegistry } from '../loaders/registry.ts';
import { WarmUpQueue } from '../queue/warm-up-queue.ts';
import { WarmUpRuns } from '../redis/warm-up-runs.ts';
import { planRegistry } from '../warm/plan-registry.ts';
import { statusOf } from '../warm/read-status.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import type { WarmUpRunStatus, WarmUpStatus } from '../warm/warm-up-status.ts';
import { type Session, withSession } from './session.ts';

export type ScheduleFlags = RoleFlags & { readonly json?: boolean };

/** `everwarm schedule`: prints each plan with its last and its next run, in its local time. */
export async function runSchedule(flags: ScheduleFlags): Promise<void> {
  const { loaders, warmUps } = await loadersOf(flags);
  const plans = [...planRegistry(warmUps, new LoaderRegistry(loaders)).values()];
  const found =
    plans.length === 0 ? [] : await withSession(flags, (session) => statuses(plans, session));
  process.stdout.write(`${flags.json ? JSON.stringify({ warmUps: found }) : text(plans, found)}\n`);
}

function text(plans: readonly WarmUp[], found: readonly WarmUpStatus[]): string {
  if (plans.length === 0) return 'the loaders file exports no warm-ups';
  return found.map((status, index) => about(plans[index]?.zone, status)).join('\n\n');
}

async function statuses(
  plans: readonly WarmUp[],
  { servers, keys }: Session,
): Promise<readonly WarmUpStatus[]> {
  const queue = new WarmUpQueue(servers.queue, keys);
  const unfinished = await queue.unfinished();
  await queue.close();
  const runs = new WarmUpRuns(servers.queue, keys);
  const nowMs = servers.clock.now();
  return Promise.all(plans.map((plan) => statusOf(plan, { runs, unfinished, nowMs })));
}

function about(zone: WarmUp['zone'] | undefined, status: WarmUpStatus): string {
  const local = (atMs: number | null): string =>
    atMs === null || !zone
      ? 'never'
      : zone
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
