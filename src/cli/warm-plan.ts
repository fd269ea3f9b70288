import { setTimeout as delay } from 'node:timers/promises';
import type { QueuedRun } from '../queue/warm-up-queue.ts';
import { WarmUpQueue } from '../queue/warm-up-queue.ts';
import { newRunId } from '../warm/run-id.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import { ProgressBar } from './progress-bar.ts';
import type { WarmSession } from './warm-session.ts';

const POLL_MS = 250;
/** Whoever has nobody to carry the run out wants to know soon. */
const PATIENCE_MS = 5_000;

/** Has a scheduler run a plan now, and shows how far it is; answers whether all went well. */
export async function warmPlan(plan: WarmUp, { servers, keys }: WarmSession): Promise<boolean> {
  const queue = new WarmUpQueue(servers.queue, keys);
  const runId = newRunId(plan.name);
  const startAtMs = servers.clock.now();
  const peakAtMs = plan.times.peakAfter(startAtMs);
  const bar = new ProgressBar();
  await queue.add(runId, { plan: plan.name, startAtMs, peakAtMs, by: 'hand' });
  bar.say(`run ${runId}: a scheduler carries it out, also if this command is stopped`);
  const run = await follow(queue, runId, bar);
  await queue.close();
  return tell(run, bar);
}

async function follow(
  queue: WarmUpQueue,
  runId: string,
  bar: ProgressBar,
): Promise<QueuedRun | null> {
  let isTold = false;
  for (const startedAtMs = performance.now(); ; await delay(POLL_MS)) {
    const run = await queue.run(runId);
    if (!run || run.state === 'completed' || run.state === 'failed') return run;
    if (run.progress) bar.show(run.progress);
    if (isTold || run.state === 'running' || performance.now() - startedAtMs < PATIENCE_MS)
      continue;
    isTold = true;
    bar.say(
      (await queue.isServed())
        ? 'waiting: another run of this plan is under way, or no scheduler knows it'
        : 'waiting: no scheduler with warm-ups runs; start one with `everwarm scheduler`',
    );
  }
}

function tell(run: QueuedRun | null, bar: ProgressBar): boolean {
  if (!run) {
    bar.say('the run was removed from the queue');
    return false;
  }
  if (run.progress) bar.end(run.progress);
  if (run.state === 'failed') {
    bar.say(`failed: ${run.error}`);
    return false;
  }
  const { result } = run;
  if (result?.outcome === 'skipped') {
    bar.say(
      `skipped: ${result.why === 'overlap' ? 'another run of this plan is under way' : 'too late'}`,
    );
    return false;
  }
  const refused = result?.refused ?? 0;
  if (refused > 0) bar.say(`${refused} params make no key, and were passed over`);
  return (result?.failed ?? 0) === 0 && refused === 0;
}
