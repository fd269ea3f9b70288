import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Origin, type OriginCounts } from './origin.ts';
import { Processes } from './processes.ts';
import type { ReplayProgress } from './progress.ts';
import type { ReaderResult } from './reader-loop.ts';
import { Readers, type Side } from './readers.ts';
import { openRedis, type RedisPlace } from './servers.ts';
import { replayMs, type Settings, settingsToEnv } from './settings.ts';
import type { Teardown } from './teardown.ts';

/** Which reads are replayed, and what the origin takes for each key. */
export type Scene = Pick<Settings, 'speed' | 'seconds' | 'ttlSeconds' | 'trace'> & {
  readonly resolveTimes: ReadonlyMap<number, number>;
};

export interface Stage<Name extends string> {
  readonly origin: Origin;
  readonly readers: Readonly<Record<Name, Readers>>;
  readonly settings: Readonly<Record<Name, Settings>>;
  /** Rejects if something ends that should still run. */
  readonly broken: Promise<never>;
}

/** What one side's readers saw, and what it cost the origin. */
export interface SideResult {
  readonly readers: readonly ReaderResult[];
  readonly origin: OriginCounts;
}

const PROGRESS_MS = 500;
/** Between "go" and the first read: all readers have heard it by then. */
const HEAD_START_MS = 500;

/** Starts everything the sides need: one origin, a Redis and two readers each; for Everwarm a scheduler and a worker. */
export async function setStage<Name extends string>(
  { resolveTimes, ...scene }: Scene,
  sides: readonly (Side & { readonly name: Name })[],
  teardown: Teardown,
): Promise<Stage<Name>> {
  const names = sides.map(({ name }) => name);
  const origin = await Origin.start({ speed: scene.speed, sides: names, resolveTimes });
  teardown.defer(() => origin.close());
  const places: RedisPlace[] = [];
  for (const name of names) places.push(await openRedis(name, teardown));
  const processes = new Processes();
  teardown.defer(() => processes.close());
  const broken = Promise.race([processes.crashed, ...places.map(({ lost }) => lost)]);
  broken.catch(() => {}); // watched while the replay runs, of no interest after it

  const built = sides.map((side, at) => {
    const { redisUrl, namespace } = places[at] as RedisPlace;
    const settings = { ...scene, redisUrl, namespace, originUrl: `${origin.url}/${side.name}` };
    const roles = side.cache === 'plain' ? [] : (['scheduler', 'worker'] as const);
    const started = roles.map((role) => startRole(role, settings, processes));
    const readers = new Readers(side, settings, processes);
    return { settings, readers, ready: Promise.all([...started, readers.ready()]) };
  });
  await Promise.race([broken, Promise.all(built.map(({ ready }) => ready))]);
  const each = <T>(of: (one: (typeof built)[number]) => T): Record<Name, T> =>
    Object.fromEntries(built.map((one, at) => [names[at], of(one)])) as Record<Name, T>;
  return {
    origin,
    readers: each(({ readers }) => readers),
    settings: each(({ settings }) => settings),
    broken,
  };
}

/** Runs all sides at the same time on the same reads, and answers what happened on each. */
export async function replay<Name extends string>(
  { origin, readers, broken }: Stage<Name>,
  { seconds, speed }: Pick<Scene, 'seconds' | 'speed'>,
  onProgress: (progress: ReplayProgress) => void,
): Promise<Record<Name, SideResult>> {
  origin.resetCounts();
  const startAtMs = Date.now() + HEAD_START_MS;
  const durationMs = replayMs(seconds * 1_000, speed);
  const sides = Object.entries<Readers>(readers);
  for (const [, side] of sides) side.start({ startAtMs });
  const timer = setInterval(() => {
    onProgress({
      share: Math.max(0, Date.now() - startAtMs) / durationMs,
      reads: Math.min(...sides.map(([, side]) => side.reads)),
      waits: Object.fromEntries(sides.map(([name, side]) => [name, side.waits])),
    });
  }, PROGRESS_MS);
  try {
    const all = Promise.all(sides.map(([, side]) => side.results()));
    const results = await Promise.race([broken, all]);
    const answer = (name: string, at: number): SideResult => ({
      readers: results[at] ?? [],
      origin: origin.counts(name),
    });
    const answers = sides.map(([name], at) => [name, answer(name, at)]);
    return Object.fromEntries(answers) as Record<Name, SideResult>;
  } finally {
    clearInterval(timer);
  }
}

/** The latest a read was started after its time, on any side. */
export function worstLateMs(results: Readonly<Record<string, SideResult>>): number {
  const readers = Object.values(results).flatMap((side) => side.readers);
  return Math.max(...readers.map((reader) => reader.worstLateMs));
}

/** Starts a scheduler or worker as anybody would: the command line, with the demo's loaders file. */
async function startRole(
  role: 'scheduler' | 'worker',
  settings: Settings,
  processes: Processes,
): Promise<void> {
  const loaders = fileURLToPath(new URL('./loaders.js', import.meta.url));
  const { redisUrl, namespace } = settings;
  const { stdout } = processes.start({
    name: `everwarm ${role}`,
    file: new URL('../../src/cli/main.js', import.meta.url),
    args: [role, '--loaders', loaders, '--redis', redisUrl, '--namespace', namespace],
    env: settingsToEnv(settings),
  });
  let said = '';
  while (stdout && !said.includes(`${role} ready`)) said += (await once(stdout, 'data'))[0];
}
