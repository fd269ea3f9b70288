import { Command } from 'commander';
import { createCache } from '../../src/index.ts';
import { hottestOf, morning } from './morning.ts';
import { numberWithin } from './options.ts';
import { ProgressLine } from './progress.ts';
import { replay, type SideResult, setStage, worstLateMs } from './replay.ts';
import { formatColumns, lateness, summarize } from './report.ts';
import { type Demo, note, runDemo, say } from './run-demo.ts';
import { type Settings, settingsToEnv } from './settings.ts';

const SIDES = [
  { name: 'cold', cache: 'everwarm' },
  { name: 'warmed', cache: 'everwarm' },
] as const;
const MINUTES = 5;
const TTL_SECONDS = 300;
const LOAD_MS = 800;
/** So many of yesterday's hottest keys are warmed. */
const WARMED = 400;

interface Options {
  readonly speed: number;
  readonly json: boolean;
}

async function run(options: Options, demo: Demo): Promise<void> {
  const { teardown, orInterrupted } = demo;
  const { speed } = options;
  const reads = morning('today');
  const resolveTimes = new Map(reads.map(({ keyId }) => [keyId, LOAD_MS]));
  const times = { seconds: MINUTES * 60, speed, ttlSeconds: TTL_SECONDS };
  const scene = { ...times, trace: 'morning', resolveTimes } as const;
  note(
    `A morning's first ${MINUTES} minutes at ${speed} times the speed: ${reads.length} reads of ` +
      `${resolveTimes.size} keys, ever faster; a load takes ${LOAD_MS} ms, a value lives ${TTL_SECONDS} s.`,
  );
  const stage = await orInterrupted(setStage(scene, SIDES, teardown));
  const keys = hottestOf(morning('yesterday'), WARMED);
  await orInterrupted(warm(stage.settings.warmed, keys));
  const loadsBefore = stage.origin.counts('warmed').loads;
  note(`Warmed: yesterday's ${keys.length} hottest keys, ${loadsBefore} loads.`);
  const line = new ProgressLine(process.stderr);
  teardown.defer(async () => line.clear());
  const results = await orInterrupted(replay(stage, scene, line.show.bind(line)));
  line.clear();

  const sides = { cold: toReport(results.cold, 0), warmed: toReport(results.warmed, loadsBefore) };
  say(format(sides));
  say('');
  say(
    `In these ${MINUTES} minutes ${sides.cold.waits} reads waited for the origin with a cold cache, ${sides.warmed.waits} with a warmed one.`,
  );
  for (const warning of lateness(worstLateMs(results), speed)) say(warning);
  if (options.json) say(JSON.stringify(sides));
}

/** Warms one side's cache as an application does before its users come. */
async function warm(settings: Settings, keys: readonly number[]): Promise<void> {
  Object.assign(process.env, settingsToEnv(settings));
  const { dns } = await import('./loaders.ts');
  const { redisUrl: redis, namespace } = settings;
  const cache = createCache({ redis, namespace, loaders: [dns] });
  try {
    const { failed } = await cache.warm(dns, keys);
    if (failed > 0) throw new Error(`${failed} of ${keys.length} keys could not be warmed`);
  } finally {
    await cache.close();
  }
}

/** One side, as `--json` prints it. */
interface MorningReport {
  readonly waits: number;
  readonly waitsByMinute: readonly number[];
  readonly p99Ms: number;
  /** Before the morning, and in it. */
  readonly originLoads: readonly [before: number, during: number];
}

function toReport({ readers, origin }: SideResult, loadsBefore: number): MorningReport {
  const { waits, p99Ms } = summarize(readers, origin);
  const waitsByMinute = Array.from({ length: MINUTES }, (_, minute) =>
    readers.reduce((sum, reader) => sum + (reader.waitsByMinute[minute] ?? 0), 0),
  );
  return { waits, waitsByMinute, p99Ms, originLoads: [loadsBefore, origin.loads] };
}

function format({ cold, warmed }: Readonly<Record<'cold' | 'warmed', MorningReport>>): string {
  const row = (title: string, of: (side: MorningReport) => string): string[] => [
    title,
    of(cold),
    of(warmed),
  ];
  return formatColumns([
    ['reads that waited', 'cold', 'warmed'],
    ...cold.waitsByMinute.map((_, minute) =>
      row(`  minute ${minute + 1}`, ({ waitsByMinute }) => String(waitsByMinute[minute])),
    ),
    row('read latency p99', ({ p99Ms }) => `${p99Ms.toFixed(2)} ms`),
    row('origin loads before', ({ originLoads }) => String(originLoads[0])),
    row('             during', ({ originLoads }) => String(originLoads[1])),
  ]);
}

await runDemo(async (demo) => {
  const command = new Command('npm run demo:warm --')
    .description('Replays the start of a working day against a cold cache and a warmed one.')
    .option('--speed <factor>', 'times faster than life', numberWithin(1, 100), 10)
    .option('--json', 'print the result as one JSON object on the last line', false)
    .exitOverride()
    .parse(process.argv.slice(2), { from: 'user' });
  await run(command.opts<Options>(), demo);
});
