import { loadersOf, type RoleFlags } from '../../workers/run-role.ts';
import { EverwarmError, messageOf } from '../core/errors.ts';
import { HottestKeys } from '../warm/hottest-keys.ts';
import { keyStream } from '../warm/key-stream.ts';
import type { WarmUp } from '../warm/warm-up.ts';
import { printable } from './printable.ts';
import { ProgressBar } from './progress-bar.ts';
import { type Session, withSession } from './session.ts';
import { BadLines, keysOfFlags, type WarmLoaderFlags, warmLoader } from './warm-loader.ts';
import { warmPlan } from './warm-plan.ts';
import { type Target, targetOf } from './warm-target.ts';

export type WarmFlags = RoleFlags &
  WarmLoaderFlags & { readonly dryRun?: boolean; readonly json?: boolean };

const SHOWN = 10;

/** `everwarm warm`: runs a plan now, or warms keys of a loader. */
export async function runWarm(flags: WarmFlags, name: string): Promise<void> {
  const target = targetOf(name, await loadersOf(flags), flags);
  const isFine = await withSession(flags, (session) =>
    flags.dryRun ? dryRun(target, flags, session) : warm(target, flags, session),
  );
  // An application's pools, opened by its loaders, would keep the process alive.
  process.exit(isFine ? 0 : 1);
}

/** Answers whether all went well. */
async function warm(target: Target, flags: WarmFlags, session: Session): Promise<boolean> {
  const bar = new ProgressBar(flags.json ? process.stderr : process.stdout);
  const outcome =
    target.kind === 'plan'
      ? await warmPlan(target.plan, { ...session, bar })
      : await warmLoader(target.loader, flags, { ...session, bar });
  const isFine = outcome.failed === 0 && outcome.refused === 0 && outcome.error === null;
  if (flags.json) printJson({ ...named(target), ok: isFine, ...outcome });
  return isFine;
}

/** Counts the keys and shows the first ones, but loads none. */
async function dryRun(target: Target, flags: WarmFlags, session: Session): Promise<boolean> {
  const stream = flags.json ? process.stderr : process.stdout;
  const bad = new BadLines((text) => void stream.write(`${text}\n`));
  const keys =
    target.kind === 'plan'
      ? keysOfPlan(target.plan, session, (error) => bad.add(null, messageOf(error)))
      : keysOfFlags(target.loader, flags, { ...session, onBad: bad.add });
  const first: string[] = [];
  let count = 0;
  for await (const key of readOf(target, keys)) {
    count++;
    if (count > SHOWN) continue;
    first.push(key);
    if (!flags.json) stream.write(`${printable(key)}\n`);
  }
  if (count > SHOWN && !flags.json) stream.write('…\n');
  bad.tell();
  if (flags.json) {
    printJson({ ...named(target), dryRun: true, keys: count, first, refused: bad.count });
  } else stream.write(`${count} keys; none was loaded\n`);
  return bad.count === 0;
}

/** The keys; what a plan's own function throws is told as that of a run is. */
async function* readOf(target: Target, keys: AsyncIterable<string>): AsyncIterable<string> {
  let count = 0;
  try {
    for await (const key of keys) {
      count++;
      yield key;
    }
  } catch (cause) {
    if (cause instanceof EverwarmError) throw cause;
    const { kind, name } = named(target);
    const what = `the keys of ${kind} "${name}" cannot be read on after ${count}`;
    throw new EverwarmError('WARM_FAILED', `${what}: ${messageOf(cause)}`, { cause });
  }
}

function named(target: Target): { readonly kind: Target['kind']; readonly name: string } {
  const { name } = target.kind === 'plan' ? target.plan : target.loader;
  return { kind: target.kind, name };
}

function printJson(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function keysOfPlan(
  plan: WarmUp,
  { servers, keys }: Session,
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
