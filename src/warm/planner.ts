import type { Clock } from '../core/clock.ts';
import type { WarmUpQueue } from '../queue/warm-up-queue.ts';
import type { WarmUpRuns } from '../redis/warm-up-runs.ts';
import type { Fire } from './plan-times.ts';
import { runIdOf } from './run-id.ts';
import type { WarmUp } from './warm-up.ts';

export interface PlannerParts {
  readonly plans: readonly WarmUp[];
  readonly queue: Pick<WarmUpQueue, 'add'>;
  readonly runs: Pick<WarmUpRuns, 'tookMs'>;
  readonly clock: Clock;
}

/** What this process knows of a plan. */
interface Watched {
  readonly plan: WarmUp;
  /** The last fire that it has added. */
  added: string | null;
  lookedAtMs: number;
  lookAgainAtMs: number;
}

/** Clocks are set, and what the last run took changes. */
const LOOK_AGAIN_MS = 30_000;
const LEAD_PER_RUN = 1.5;
const LEAST_LEAD_MS = 60_000;
const MOST_LEAD_MS = 12 * 3_600_000;
const FIRST_LEAD_MS = 15 * 60_000;

/**
 * Adds a plan's run to the queue when its time has come, and for a time that has passed while nobody was
 * there, if that is not too long ago. Every scheduler does so: the queue takes each fire once.
 */
export class Planner {
  readonly #parts: PlannerParts;
  readonly #watched: readonly Watched[];

  constructor(parts: PlannerParts) {
    this.#parts = parts;
    this.#watched = parts.plans.map((plan) => ({
      plan,
      added: null,
      lookedAtMs: Number.POSITIVE_INFINITY,
      lookAgainAtMs: 0,
    }));
  }

  /** Answers when to look next, epoch ms; rejects when Redis fails, and the next tick tries again. */
  async tick(): Promise<number | null> {
    const looks = await Promise.allSettled(this.#watched.map((watched) => this.#look(watched)));
    for (const look of looks) if (look.status === 'rejected') throw look.reason;
    return Math.min(...this.#watched.map(({ lookAgainAtMs }) => lookAgainAtMs));
  }

  async #look(watched: Watched): Promise<void> {
    const { clock, queue, runs } = this.#parts;
    const nowMs = clock.now();
    if (nowMs >= watched.lookedAtMs && nowMs < watched.lookAgainAtMs) return;
    const { plan } = watched;
    const leadMs = await leadMsOf(plan, runs);
    const fire = plan.times.latest(nowMs, leadMs);
    if (fire && fire.name !== watched.added && nowMs - fire.startAtMs <= plan.catchUpMs) {
      const { startAtMs, peakAtMs } = fire;
      await queue.add(runIdOf(plan.name, fire), {
        plan: plan.name,
        startAtMs,
        peakAtMs,
        by: 'schedule',
      });
      watched.added = fire.name;
    }
    const next = plan.times.next(nowMs, leadMs);
    watched.lookedAtMs = nowMs;
    watched.lookAgainAtMs = Math.min(
      next?.startAtMs ?? Number.POSITIVE_INFINITY,
      nowMs + LOOK_AGAIN_MS,
    );
  }
}

/** How long before its peak a plan's next run starts; 0 for plans that do not measure. */
export async function leadMsOf(
  { name, times, spreadOverMs }: WarmUp,
  runs: Pick<WarmUpRuns, 'tookMs'>,
): Promise<number> {
  if (!times.isMeasured) return 0;
  const tookMs = await runs.tookMs(name);
  if (tookMs === null) return Math.max(FIRST_LEAD_MS, LEAD_PER_RUN * spreadOverMs);
  return Math.min(MOST_LEAD_MS, Math.max(LEAST_LEAD_MS, LEAD_PER_RUN * tookMs));
}

/** The next run of a plan. */
export async function nextFire(
  plan: WarmUp,
  runs: Pick<WarmUpRuns, 'tookMs'>,
  nowMs: number,
): Promise<Fire | null> {
  return plan.times.next(nowMs, await leadMsOf(plan, runs));
}
