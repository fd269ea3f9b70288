import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { LoaderRegistry } from '../loaders/registry.ts';
import { isWarmUp, type WarmUp } from './warm-up.ts';

/**
 * The plans of one process, by name.
 *
 * @throws InvalidOptionError for what is no plan and for two of one name, EverwarmError UNKNOWN_LOADER for
 * a plan whose loader is not among the process's
 */
export function planRegistry(
  plans: readonly WarmUp[],
  loaders: LoaderRegistry,
): ReadonlyMap<string, WarmUp> {
  if (!Array.isArray(plans)) {
    throw new InvalidOptionError('warmUps', plans, 'must be an array of warm-ups');
  }
  const byName = new Map<string, WarmUp>();
  const known = new Set<AnyLoader>(loaders);
  for (const [index, plan] of plans.entries()) {
    if (!isWarmUp(plan)) {
      throw new InvalidOptionError(`warmUps[${index}]`, plan, 'must come from defineWarmUp()');
    }
    const { name, loader } = plan;
    if (byName.has(name)) {
      const rule = 'is the name of two warm-ups: names must be unique';
      throw new InvalidOptionError(`warmUps[${index}].name`, name, rule);
    }
    if (!known.has(loader)) {
      const cause = loaders.unknown(loader);
      throw new EverwarmError('UNKNOWN_LOADER', `warm-up "${name}": ${cause.message}`, { cause });
    }
    byName.set(name, plan);
  }
  return byName;
}
