import { messageOf } from '../core/errors.ts';
import type { LoaderRegistry } from '../loaders/registry.ts';
import type { WarmUpRuns } from '../redis/warm-up-runs.ts';
import { planRegistry } from '../warm/plan-registry.ts';
import { nextFire } from '../warm/planner.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import { type Check, failure, fine, warning } from './check.ts';

export interface PlanCheckParts {
  readonly loaders: LoaderRegistry;
  readonly warmUps: readonly WarmUp[];
  readonly runs: Pick<WarmUpRuns, 'tookMs' | 'last'>;
  readonly nowMs: number;
}

/** Whether the warm-ups can run, when they do next, and how they ended last. */
export async function planChecks({
  loaders,
  warmUps,
  runs,
  nowMs,
}: PlanCheckParts): Promise<readonly Check[]> {
  try {
    const plans = [...planRegistry(warmUps, loaders).values()];
    return await Promise.all(plans.map((plan) => planCheck(plan, runs, nowMs)));
  } catch (error) {
    return [failure('warm-ups', messageOf(error), 'mend the loaders file')];
  }
}

async function planCheck(
  plan: WarmUp,
  runs: PlanCheckParts['runs'],
  nowMs: number,
): Promise<Check> {
  const name = `warm-up ${plan.name}`;
  const [next, last] = await Promise.all([nextFire(plan, runs, nowMs), runs.last(plan.name)]);
  if (next === null) {
    const message = `never runs again by its schedule (${plan.zone.name})`;
    return warning(name, message, 'mend its schedule, or take it out of the loaders file');
  }
  const when = `runs next at ${plan.zone.text(next.startAtMs)}`;
  if (last?.outcome === 'failed') {
    const message = `${when}; the last run failed: ${last.error ?? 'for no known reason'}`;
    return warning(name, message, `mend its keys, and try \`everwarm warm ${plan.name}\``);
  }
  return fine(name, when);
}
