import type { LoadersFile } from '../../workers/load-loaders.ts';
import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { LoaderRegistry } from '../loaders/registry.ts';
import { planRegistry } from '../warm/plan-registry.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import type { WarmLoaderFlags } from './warm-loader.ts';

export type Target =
  | { readonly kind: 'plan'; readonly plan: WarmUp }
  | { readonly kind: 'loader'; readonly loader: AnyLoader };

/**
 * What `everwarm warm NAME` means: with keys a loader, else a warm-up.
 *
 * @throws EverwarmError UNKNOWN_WARM_UP for a name that is neither
 * @throws InvalidOptionError for flags that do not go with it
 */
export function targetOf(
  name: string,
  { loaders, warmUps }: LoadersFile,
  flags: WarmLoaderFlags,
): Target {
  const plans = planRegistry(warmUps, new LoaderRegistry(loaders));
  if (flags.keys !== undefined && flags.hottest !== undefined) {
    throw new InvalidOptionError('--hottest', flags.hottest, 'cannot go with --keys');
  }
  const isOfLoader = flags.keys !== undefined || flags.hottest !== undefined;
  const plan = plans.get(name);
  if (plan && !isOfLoader) return { kind: 'plan', plan };
  const loader = loaders.find((one) => one.name === name);
  if (loader && isOfLoader) return { kind: 'loader', loader };
  if (loader) {
    throw new InvalidOptionError('warm', name, 'is a loader: it needs --keys FILE or --hottest N');
  }
  if (plan) {
    throw new InvalidOptionError(
      'warm',
      name,
      'is a warm-up: it has its keys, without --keys and --hottest',
    );
  }
  const known = `warm-ups: ${[...plans.keys()].join(', ') || 'none'}; loaders: ${loaders.map((one) => one.name).join(', ')}`;
  throw new EverwarmError(
    'UNKNOWN_WARM_UP',
    `"${name}" is neither a warm-up nor a loader (${known})`,
  );
}
