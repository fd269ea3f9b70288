import { setTimeout as delay } from 'node:timers/promises';
import type { RunCounts } from '../core/events.ts';
import { type QueuedRun, WarmUpQueue } from '../queue/warm-up-queue.ts';
import { newRunId } from '../warm/run-id.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import type { ProgressBar } from './progress-bar.ts';
import type { Session } from './session.ts';
import type { WarmOutcome } from './warm-outcome.ts';

const POLL_MS = 250;
/** Whoever has nobody to carry the run out wants to know soon. */
const PATIENCE_MS = 5_000;

/** Has a scheduler run a plan now, and shows how far it is. */
export async function warmPlan(
  plan: WarmUp,
  { servers, keys, bar }: Session & { readonly bar: ProgressBar },
): Promise<WarmOutcome> {
  const queue = new WarmUpQueue(servers.queue, keys);
  const runId = newRunId(plan.name);
  const startAtMs = servers.clock.now();
  const peakAtMs = plan.times.peakAfter(startAtMs);
  await queue.add(runId, { plan: plan.name, startAtMs, peakAtMs, by: 'hand' });
  bar.say(`run ${runId}: a scheduler carries it out, also if this command is stopped`);
  const run = await follow(queue, runId, bar);
  await queue.close();
  if (run?.progress) bar.end(run.progress);
  const { done, skipped, failed, refused } = countsOf(run);
  const error = errorOf(run);
  if (error !== null) bar.say(error);
  if (refused > 0) bar.say(`${refused} params make no key, and were passed over`);
  return { runId, done, skipped, failed, refused, error };
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

function countsOf(run: QueuedRun | null): RunCounts {
  const { result, progress } = run ?? {};
  if (result && result.outcome !== 'skipped') return result;
  return progress ?? { done: 0, skipped: 0, failed: 0, refused: 0 };
}

/** Null: it came to its end. */
function errorOf(run: QueuedRun | null): string | null {
  if (!run) return 'the run was removed from the queue';
  if (run.state === 'failed') return `failed: ${run.error}`;
  const { result } = run;
  if (result?.outcome !== 'skipped') return null;
  return `skipped: ${result.why === 'overlap' ? 'another run of this plan is under way' : 'too late'}`;
}
