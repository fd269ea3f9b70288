import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import { HottestKeys } from '../warm/hottest-keys.ts';
import { keyStream } from '../warm/key-stream.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import { BadLines, keysOfFlags, type WarmLoaderFlags, warmLoader } from './warm-loader.ts';
import { warmPlan } from './warm-plan.ts';
import { type WarmSession, withServers } from './warm-session.ts';
import { type Target, targetOf } from './warm-target.ts';

export type WarmFlags = RoleFlags & WarmLoaderFlags & { readonly dryRun?: boolean };

const SHOWN = 10;

/** `everwarm warm`: runs a plan now, or warms keys of a loader. */
export async function runWarm(flags: WarmFlags, name: string): Promise<void> {
  const target = targetOf(name, await loadersOf(flags), flags);
  const isFine = await withServers(flags, (session) => {
    if (flags.dryRun) return dryRun(target, flags, session);
    if (target.kind === 'plan') return warmPlan(target.plan, session);
    return warmLoader(target.loader, flags, session);
  });
  // An application's pools, opened by its loaders, would keep the process alive.
  process.exit(isFine ? 0 : 1);
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
  plan: WarmUp,
  { servers, keys }: WarmSession,
  onRefused: (error: unknown) => void,
): AsyncGenerator<string> {
  const nowMs = servers.clock.now();
  const peakAtMs = plan.times.peakAfter(nowMs);
  const hottest = new HottestKeys({ redis: servers.queue, keys, clock: servers.clock }, plan);
  return keyStream({
    plan: plan.name,
    sources: plan.sources,
    context: { signal: new AbortController().signal, peakAtMs },
    hottest: (source) => hottest.of(source, { atMs: peakAtMs ?? nowMs, runId: null }),
    onRefused,
  });
}
