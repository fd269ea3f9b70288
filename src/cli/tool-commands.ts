import { Argument, type Command, InvalidArgumentError } from 'commander';
import { runMain } from '../../workers/main.ts';
import type { BenchFlags } from './bench.ts';
import type { Shell } from './completion.ts';
import { jsonOption, positiveNumber, runOnce, serverOptions, withExamples } from './flags.ts';
import type { SimulateFlags } from './simulate.ts';

const WASTE_BUDGETS = [0.1, 0.2, 0.5];
const THRESHOLDS = [2, 5, 8, 16];

/** What needs no loaders file: simulate, bench, completion. */
export function toolCommands(program: Command): void {
  const simulate = program
    .command('simulate')
    .description('replay recorded reads against refresh policies, to choose settings')
    .argument('<file>', 'CSV, plain or gzip, with columns t_ms and key_id, in order of time')
    .requiredOption('--ttl <duration>', 'life of an entry, e.g. 60s')
    .requiredOption('--load-time <duration>', 'how long a load takes, e.g. 200ms')
    .option('--keys <file>', 'CSV of load times by key: key_id and load_ms (or rtt_ms_p50)')
    .option('--ttl-column', 'take the ttl of each read from column ttl_s, where it has one')
    .option('--waste-budget <share...>', 'more waste budgets to compare', shares, WASTE_BUDGETS)
    .option('--threshold <n...>', 'fixed thresholds to compare', thresholds, THRESHOLDS)
    .option('--html <file>', 'write a page with a chart')
    .action((file: string, flags: SimulateFlags) =>
      runMain(async () => (await import('./simulate.ts')).runSimulation(file, flags)),
    );
  withExamples(
    jsonOption(simulate),
    'simulate reads.csv.gz --ttl 60s --load-time 200ms --html chart.html',
  );

  const bench = program
    .command('bench')
    .description('measure reads on this Redis: hits a second, and the time of a ping')
    .option('--duration <duration>', 'how long to read', '2s')
    .option('--keys <n>', 'how many keys, of 100 bytes each', positiveNumber, 1_000)
    .option('--concurrency <n>', 'reads under way at a time', positiveNumber, 64)
    .action((flags: BenchFlags) =>
      runOnce(async () => (await import('./bench.ts')).runBench(flags)),
    );
  withExamples(
    jsonOption(serverOptions(bench)),
    'bench --redis redis://cache:6379',
    'bench --duration 10s --concurrency 200 --json',
  );

  const completion = program
    .command('completion')
    .description('print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'of which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) =>
      runMain(async () => {
        const { completionScript } = await import('./completion.ts');
        process.stdout.write(completionScript(shell, program));
      }),
    );
  withExamples(
    completion,
    'completion bash > /etc/bash_completion.d/everwarm',
    'completion zsh > ~/.zfunc/_everwarm',
    'completion fish > ~/.config/fish/completions/everwarm.fish',
  );
}

function thresholds(text: string, previous: readonly number[]): readonly number[] {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 1 && value <= 1e6))
    throw new InvalidArgumentError('It must be a number from 1 to 1,000,000.');
  return previous === THRESHOLDS ? [value] : [...previous, value];
}

function shares(text: string, previous: readonly number[]): readonly number[] {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return previous === WASTE_BUDGETS ? [value] : [...previous, value];
}
