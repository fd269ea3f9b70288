import type { Clock } from '../core/clock.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import type { Events, RunCounts } from '../core/events.ts';
import type { RunProgress } from '../queue/warm-up-job.ts';
import type { RunOutcome, TakenRun } from '../queue/warm-up-worker.ts';
import type { WarmUpRuns } from '../redis/warm-up-runs.ts';
import type { HottestKeys } from './hottest-keys.ts';
import { keyStream, knownTotal } from './key-stream.ts';
import { ProgressReport } from './progress-report.ts';
import type { WarmRequest, WarmRun } from './warm-run.ts';
import type { WarmUp } from './warm-up.ts';

export interface PlanRunnerParts {
  readonly plans: ReadonlyMap<string, WarmUp>;
  readonly runs: WarmUpRuns;
  readonly warmRun: Pick<WarmRun, 'run'>;
  readonly hottest: (plan: WarmUp) => Pick<HottestKeys, 'of' | 'count'>;
  readonly clock: Clock;
  readonly events: Events;
}

const RENEW_MS = 5_000;
/** How soon a run that waits for another, or for a scheduler that knows its plan, is looked at again. */
const AGAIN_MS = 1_000;
/** A run of a plan that no scheduler knows any more ends after that. */
const UNKNOWN_MS = 3_600_000;
const MOST_REFUSED_TOLD = 100;

/**
 * Carries out the runs that this process takes from the queue: one at a time of each plan in the fleet.
 *
 * waiting ─> (plan unknown here, or another of its runs under way: waiting again, or skipped)
 *         ─> running ─> completed | failed
 *               └─> waiting, when the process closes or dies: whoever takes it goes on at its position
 */
export class PlanRunner {
  readonly #parts: PlanRunnerParts;

  constructor(parts: PlanRunnerParts) {
    this.#parts = parts;
  }

  /** Rejects when the run failed. */
  async run(taken: TakenRun): Promise<RunOutcome> {
    const { plans, runs, clock } = this.#parts;
    const { runId, data, progress } = taken;
    const plan = plans.get(data.plan);
    const lateMs = clock.now() - data.startAtMs;
    if (!plan) return unknown(data.plan, lateMs);
    const isTooLate = lateMs > plan.catchUpMs;
    if (!progress && isTooLate && data.by === 'schedule') return this.#skipped(taken, 'late');
    if (await runs.hold(plan.name, runId)) return this.#attempt(plan, taken);
    if (plan.overlap === 'skip' || isTooLate) return this.#skipped(taken, 'overlap');
    return { outcome: 'again', inMs: AGAIN_MS };
  }

  #skipped({ runId, data }: TakenRun, why: 'overlap' | 'late'): RunOutcome {
    this.#parts.events.emit('warmup:skipped', { why, plan: data.plan, runId });
    return { outcome: 'skipped', why };
  }

  async #attempt(plan: WarmUp, taken: TakenRun): Promise<RunOutcome> {
    const { warmRun, clock, events } = this.#parts;
    const { runId } = taken;
    const about = { plan: plan.name, runId };
    const report = new ProgressReport(taken, clock);
    const holding = this.#hold(plan, taken);
    events.emit('warmup:started', { position: taken.progress?.position ?? 0, ...about });
    try {
      const request = await this.#request(plan, taken, { report, signal: holding.signal });
      const progress = await warmRun.run(request, {
        signal: holding.signal,
        onProgress: (now) => report.add(now),
      });
      report.add(progress);
      holding.signal.throwIfAborted();
    } catch (error) {
      await report.close();
      // Closing, or taken for dead: not the run's fault, and somebody goes on with it.
      if (taken.signal.aborted) return { outcome: 'again', inMs: 0 };
      events.emit('warmup:failed', { error, ...about });
      await this.#end(plan, runId, { ...report.progress, error: messageOf(error) });
      throw error;
    } finally {
      holding.stop();
    }
    await report.close();
    const counts = countsOf(report.progress);
    await this.#end(plan, runId, { ...report.progress, error: null });
    const tookMs = clock.now() - report.progress.startedAtMs;
    events.emit('warmup:completed', { ...counts, tookMs, ...about });
    return { outcome: 'completed', ...counts };
  }

  async #request(
    plan: WarmUp,
    { runId, data, progress }: TakenRun,
    { report, signal }: { readonly report: ProgressReport; readonly signal: AbortSignal },
  ): Promise<WarmRequest> {
    const { events } = this.#parts;
    const hottest = this.#parts.hottest(plan);
    const { peakAtMs } = data;
    const { startedAtMs } = report.progress;
    const atMs = peakAtMs ?? startedAtMs;
    const endAtMs = startedAtMs + spreadMs(plan, { startedAtMs, peakAtMs });
    const untilMs = plan.ttlMs === null ? null : (peakAtMs ?? endAtMs) + plan.ttlMs;
    const keys = keyStream({
      plan: plan.name,
      sources: plan.sources,
      context: { signal, peakAtMs },
      hottest: (source) => hottest.of(source, { atMs, runId }),
      onRefused: (error) => {
        const refused = report.refuse();
        if (refused > MOST_REFUSED_TOLD) return;
        events.emit('warmup:refused', { error, plan: plan.name, runId });
      },
    });
    return {
      runId,
      loader: plan.loader,
      keys,
      skip: progress?.position ?? 0,
      freshUntilMs: untilMs ?? peakAtMs,
      untilMs,
      spreadOverMs: endAtMs - startedAtMs,
      priority: plan.priority,
      total: await knownTotal(plan.sources, (source) => hottest.count(source, { atMs, runId })),
    };
  }

  /** Keeps the plan held while the run is under way; its signal aborts with the run's, or when another run has the plan. */
  #hold(plan: WarmUp, taken: TakenRun): { readonly signal: AbortSignal; stop(): void } {
    const lost = new AbortController();
    const message = `another run of warm-up "${plan.name}" is under way`;
    const renew = async (): Promise<void> => {
      const isOurs = await this.#parts.runs.hold(plan.name, taken.runId).catch(() => true);
      if (!isOurs) lost.abort(new EverwarmError('LOAD_ABORTED', message));
    };
    const timer = setInterval(() => void renew(), RENEW_MS);
    const signal = AbortSignal.any([taken.signal, lost.signal]);
    return { signal, stop: () => clearInterval(timer) };
  }

  /** Notes how a run ended, and lets the next one begin. */
  async #end(
    plan: WarmUp,
    runId: string,
    { error, ...progress }: RunProgress & { readonly error: string | null },
  ): Promise<void> {
    const { runs, clock } = this.#parts;
    const outcome = error === null ? 'completed' : 'failed';
    const ended = {
      runId,
      outcome,
      startedAtMs: progress.startedAtMs,
      endedAtMs: clock.now(),
      ...countsOf(progress),
      error,
    } as const;
    // A note: the run's job says the same, and the hold runs out.
    await runs.ended(plan.name, ended).catch(() => undefined);
    await runs.release(plan.name, runId).catch(() => undefined);
  }
}

function countsOf({ done, skipped, failed, refused }: RunCounts): RunCounts {
  return { done, skipped, failed, refused };
}

/** The same pace in each attempt; faster where the run starts too late to be done before the peak. */
function spreadMs(
  { spreadOverMs }: WarmUp,
  { startedAtMs, peakAtMs }: { readonly startedAtMs: number; readonly peakAtMs: number | null },
): number {
  const untilPeakMs = peakAtMs === null ? 0 : peakAtMs - startedAtMs;
  return untilPeakMs > 0 ? Math.min(spreadOverMs, untilPeakMs) : spreadOverMs;
}

function unknown(plan: string, lateMs: number): RunOutcome {
  if (lateMs <= UNKNOWN_MS) return { outcome: 'again', inMs: AGAIN_MS };
  throw new EverwarmError('UNKNOWN_WARM_UP', `no scheduler knows warm-up "${plan}"`);
}
