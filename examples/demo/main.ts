import { CommanderError } from 'commander';
import { openDashboard } from './dashboard.ts';
import { type DemoOptions, parseOptions } from './options.ts';
import { ProgressLine } from './progress.ts';
import { replay, setStage } from './replay.ts';
import { describeComparison, formatTable } from './report.ts';
import { Teardown } from './teardown.ts';
import { firstSeconds, hotKeys, loadReads } from './trace.ts';

const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;
/** Reads this late, of a TTL of seconds, begin to blur the figures. */
const LATE_MS = 100;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const note = (line: string): void => void process.stderr.write(`${line}\n`);

class Interrupted extends Error {}

async function run(options: DemoOptions, teardown: Teardown): Promise<void> {
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => reject(new Interrupted(`stopped by ${signal}`)));
    }
  });
  interrupted.catch(() => {}); // also when nobody is waiting right now
  const orInterrupted = <T>(work: Promise<T>): Promise<T> => Promise.race([work, interrupted]);

  const reads = firstSeconds(loadReads(), options.seconds);
  note(
    `Replaying ${reads.length} reads, ${options.seconds} s of the trace, at ${options.speed} times the speed: ` +
      `${(options.seconds / options.speed).toFixed(0)} s, ttl ${options.ttlSeconds / options.speed} s.`,
  );
  const stage = await orInterrupted(setStage(options, teardown));
  if (options.serve) {
    note(`Dashboard: ${await orInterrupted(openDashboard(stage.everwarm, teardown))}`);
  }
  const line = new ProgressLine(process.stderr);
  teardown.defer(async () => line.clear());
  const show = line.show.bind(line);
  const { report, worstLateMs } = await orInterrupted(replay(stage, options, show));
  line.clear();

  say(formatTable(report));
  say('');
  say(describeComparison(report));
  say(
    `${hotKeys(reads, options).size} keys are hot (read at least twice per TTL on average); each one's first read has to wait on either side.`,
  );
  if (worstLateMs > LATE_MS) {
    say(
      `Reads started up to ${Math.round(worstLateMs)} ms late: this machine is too busy for --speed ${options.speed}.`,
    );
  }
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
  const seconds = Math.floor((loadReads().at(-1)?.tMs ?? 0) / 1_000);
  if (options.seconds <= seconds) return options;
  note(`--seconds (${options.seconds}) is more than the trace has: replaying all its ${seconds} s`);
  return { ...options, seconds };
}

async function main(args: readonly string[]): Promise<number> {
  const teardown = new Teardown();
  try {
    const options = withinTrace(parseOptions(args));
    await run(options, teardown).finally(() => teardown.run());
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    note(`demo: ${error instanceof Error ? error.message : error}`);
    return error instanceof Interrupted ? EXIT.interrupted : EXIT.failed;
  }
}

process.exitCode = await main(process.argv.slice(2));
