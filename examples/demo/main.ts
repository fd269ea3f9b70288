import { openDashboard } from './dashboard.ts';
import { type DemoOptions, parseOptions } from './options.ts';
import { ProgressLine } from './progress.ts';
import { replay, setStage, worstLateMs } from './replay.ts';
import { type DemoReport, describeComparison, formatTable, lateness, summarize } from './report.ts';
import { type Demo, Interrupted, note, runDemo, say } from './run-demo.ts';
import { firstSeconds, hotKeys, loadResolveTimes, recordedReads } from './trace.ts';

const SIDES = [
  { name: 'plain', cache: 'plain' },
  { name: 'everwarm', cache: 'everwarm' },
] as const;

async function run(options: DemoOptions, { teardown, orInterrupted }: Demo): Promise<void> {
  const { seconds, speed, ttlSeconds } = options;
  const reads = firstSeconds(recordedReads(), seconds);
  note(
    `Replaying ${reads.length} reads, ${seconds} s of the trace, at ${speed} times the speed: ` +
      `${(seconds / speed).toFixed(0)} s, ttl ${ttlSeconds / speed} s.`,
  );
  const resolveTimes = loadResolveTimes();
  const scene = { seconds, speed, ttlSeconds, trace: 'dns', resolveTimes } as const;
  const stage = await orInterrupted(setStage(scene, SIDES, teardown));
  if (options.serve) {
    note(`Dashboard: ${await orInterrupted(openDashboard(stage.settings.everwarm, teardown))}`);
  }
  const line = new ProgressLine(process.stderr);
  teardown.defer(async () => line.clear());
  const results = await orInterrupted(replay(stage, scene, line.show.bind(line)));
  line.clear();

  const { plain, everwarm } = results;
  const { refreshes } = everwarm.origin;
  const report: DemoReport = {
    plain: summarize(plain.readers, plain.origin),
    everwarm: { ...summarize(everwarm.readers, everwarm.origin), refreshes },
  };
  say(formatTable(report));
  say('');
  say(describeComparison(report));
  say(
    `${hotKeys(reads, options).size} keys are hot (read at least twice per TTL on average); each one's first read has to wait on either side.`,
  );
  for (const warning of lateness(worstLateMs(results), speed)) say(warning);
  if (options.json) say(JSON.stringify(report));
  if (options.serve) {
    note('The dashboard stays up until Ctrl-C.');
    await orInterrupted(stage.broken).catch((error) => {
      if (!(error instanceof Interrupted)) throw error;
    });
  }
}

/** Asking for more than there is gets all there is, and is told so. */
function withinTrace(options: DemoOptions): DemoOptions {
  const seconds = Math.floor((recordedReads().at(-1)?.tMs ?? 0) / 1_000);
  if (options.seconds <= seconds) return options;
  note(`--seconds (${options.seconds}) is more than the trace has: replaying all its ${seconds} s`);
  return { ...options, seconds };
}

await runDemo(async (demo) => run(withinTrace(parseOptions(process.argv.slice(2))), demo));
