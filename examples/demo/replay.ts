import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DemoOptions } from './options.ts';
import { Origin, type Side } from './origin.ts';
import { Processes } from './processes.ts';
import type { ReplayProgress } from './progress.ts';
import { Readers } from './readers.ts';
import { type DemoReport, summarize } from './report.ts';
import { openRedis, type RedisPlace } from './servers.ts';
import { replayMs, type Settings, settingsToEnv } from './settings.ts';
import type { Teardown } from './teardown.ts';
import { loadResolveTimes } from './trace.ts';

export interface Stage {
  readonly origin: Origin;
  readonly readers: Readonly<Record<Side, Readers>>;
  readonly everwarm: RedisPlace;
  /** Rejects if something ends that should still run. */
  readonly broken: Promise<never>;
}

export interface ReplayResult {
  readonly report: DemoReport;
  /** The latest a read was started after its time. */
  readonly worstLateMs: number;
}

const PROGRESS_MS = 500;
/** Between "go" and the first read: all readers have heard it by then. */
const HEAD_START_MS = 500;

/** Starts everything both sides need: one origin, a Redis and two readers each, Everwarm's scheduler and worker. */
export async function setStage(options: DemoOptions, teardown: Teardown): Promise<Stage> {
  const origin = await Origin.start({ speed: options.speed, resolveTimes: loadResolveTimes() });
  teardown.defer(() => origin.close());
  const plain = await openRedis('plain', teardown);
  const everwarm = await openRedis('everwarm', teardown);
  const processes = new Processes();
  teardown.defer(() => processes.close());
  const broken = Promise.race([processes.crashed, plain.lost, everwarm.lost]);
  broken.catch(() => {}); // watched while the replay runs, of no interest after it

  const { speed, seconds, ttlSeconds } = options;
  const settingsOf = (side: Side, { redisUrl, namespace }: RedisPlace): Settings => {
    return { speed, seconds, ttlSeconds, redisUrl, namespace, originUrl: `${origin.url}/${side}` };
  };
  const everwarmSettings = settingsOf('everwarm', everwarm);
  const roles = [
    startRole('scheduler', everwarmSettings, processes),
    startRole('worker', everwarmSettings, processes),
  ];
  const readers = {
    plain: new Readers('plain', settingsOf('plain', plain), processes),
    everwarm: new Readers('everwarm', everwarmSettings, processes),
  };
  const all = Promise.all([...roles, readers.plain.ready(), readers.everwarm.ready()]);
  await Promise.race([broken, all]);
  return { origin, readers, everwarm, broken };
}

/** Runs both sides at the same time on the same reads, and answers what happened. */
export async function replay(
  { origin, readers, broken }: Stage,
  { seconds, speed }: DemoOptions,
  onProgress: (progress: ReplayProgress) => void,
): Promise<ReplayResult> {
  origin.resetCounts();
  const startAtMs = Date.now() + HEAD_START_MS;
  const durationMs = replayMs(seconds * 1_000, speed);
  readers.plain.start({ startAtMs });
  readers.everwarm.start({ startAtMs });
  const timer = setInterval(() => {
    onProgress({
      share: Math.max(0, Date.now() - startAtMs) / durationMs,
      reads: Math.min(readers.plain.reads, readers.everwarm.reads),
      waits: { plain: readers.plain.waits, everwarm: readers.everwarm.waits },
    });
  }, PROGRESS_MS);
  try {
    const all = Promise.all([readers.plain.results(), readers.everwarm.results()]);
    const [plain, everwarm] = await Promise.race([broken, all]);
    const { refreshes } = origin.counts('everwarm');
    return {
      report: {
        plain: summarize(plain, origin.counts('plain')),
        everwarm: { ...summarize(everwarm, origin.counts('everwarm')), refreshes },
      },
      worstLateMs: Math.max(...[...plain, ...everwarm].map((reader) => reader.worstLateMs)),
    };
  } finally {
    clearInterval(timer);
  }
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
