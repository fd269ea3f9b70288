import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import { EverwarmError, InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { LoaderRegistry } from '../loaders/registry.ts';
import { Tracker } from '../redis/tracker.ts';
import { keyStream } from '../warm/key-stream.ts';
import { planRegistry } from '../warm/plan-registry.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import { BadLines, keysOfFlags, type WarmLoaderFlags, warmLoader } from './warm-loader.ts';
import { warmPlan } from './warm-plan.ts';
import { type WarmSession, withServers } from './warm-session.ts';

export type WarmFlags = RoleFlags & WarmLoaderFlags & { readonly dryRun?: boolean };

type Target =
  | { readonly kind: 'plan'; readonly plan: WarmUp }
  | { readonly kind: 'loader'; readonly loader: AnyLoader };

const SHOWN = 10;

/** `everwarm warm`: runs a plan now, or warms keys of a loader. */
export async function runWarm(flags: WarmFlags, name: string): Promise<void> {
  const target = await targetOf(flags, name);
  const isFine = await withServers(flags, (session) => {
    if (flags.dryRun) return dryRun(target, flags, session);
    if (target.kind === 'plan') return warmPlan(target.plan, session);
    return warmLoader(target.loader, flags, session);
  });
  // An application's pools, opened by its loaders, would keep the process alive.
  process.exit(isFine ? 0 : 1);
}

async function targetOf(flags: WarmFlags, name: string): Promise<Target> {
  const { loaders, warmUps } = await loadersOf(flags);
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

/** Counts the keys and shows the first ones, but loads none. */
async function dryRun(target: Target, flags: WarmFlags, session: WarmSession): Promise<boolean> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const bad = new BadLines(say);
  const keys =
    target.kind === 'plan'
      ? keysOfPlan(target.plan, session, (error) => bad.add(0, String(error)))
      : keysOfFlags(target.loader, flags, { ...session, onBad: bad.add });
  let count = 0;
  for await (const key of keys) {
    count++;
    if (count <= SHOWN) say(key);
  }
  if (count > SHOWN) say('…');
  bad.tell();
  say(`${count} keys; none was loaded`);
  return bad.count === 0;
}

function keysOfPlan(
  { name, sources, loader, times }: WarmUp,
  { servers, keys }: WarmSession,
  onRefused: (error: unknown) => void,
): AsyncGenerator<string> {
  const { signal } = new AbortController();
  const peakAtMs = times.peakAfter(servers.clock.now());
  const hottest = (count: number): AsyncGenerator<string> =>
    new Tracker(servers.queue, keys, loader).hottest(count, null);
  return keyStream({ plan: name, sources, context: { signal, peakAtMs }, hottest, onRefused });
}
