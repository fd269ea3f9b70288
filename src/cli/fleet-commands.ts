import type { Command } from 'commander';
import { runMain } from '../../workers/main.ts';
import type { DoctorFlags } from './doctor.ts';
import type { ExplainFlags } from './explain.ts';
import { fleetCommand, positiveNumber, runOnce, withExamples } from './flags.ts';
import type { InvalidateFlags } from './invalidate.ts';
import type { PauseFlags } from './pause.ts';
import type { PeaksFlags } from './peaks.ts';
import type { StatsFlags } from './stats.ts';
import type { TopFlags } from './top.ts';

/** What asks or tells the fleet something: top, stats, explain, peaks, pause, resume, invalidate, doctor. */
export function fleetCommands(program: Command): void {
  const top = fleetCommand(program, 'top', 'show the hottest keys of each loader, as they change')
    .argument('[loader...]', 'only these loaders')
    .option('--count <n>', 'keys of each loader', positiveNumber, 10)
    .option('--interval <duration>', 'how often it is drawn anew', '2s')
    .option('--once', 'print it once, as when stdout is no terminal')
    .action((names: string[], flags: TopFlags) =>
      runOnce(async () => (await import('./top.ts')).runTop(names, flags)),
    );
  withExamples(top, 'top', 'top product --count 30', 'top --once --json');

  const stats = fleetCommand(
    program,
    'stats',
    'print how each loader does: keys, times, waste, roles',
  )
    .argument('[loader...]', 'only these loaders')
    .action((names: string[], flags: StatsFlags) =>
      runOnce(async () => (await import('./stats.ts')).runStats(names, flags)),
    );
  withExamples(stats, 'stats', 'stats product --json');

  const explain = fleetCommand(program, 'explain', 'say why a key is refreshed ahead or not')
    .argument('<loader>', "the loader's name")
    .argument('<key>', 'the params as key text, e.g. sku-42 or \'{"id":7}\'')
    .action((loader: string, key: string, flags: ExplainFlags) =>
      runOnce(async () => (await import('./explain.ts')).runExplain([loader, key], flags)),
    );
  withExamples(explain, 'explain product sku-42', 'explain order \'{"id":7}\' --json');

  const peaks = fleetCommand(
    program,
    'peaks',
    'print when a loader is read most, and a warm-up for it',
  )
    .argument('<loader>', "the loader's name")
    .option('--timezone <zone>', "whose hours, e.g. Europe/Berlin; by default this process's")
    .action((loader: string, flags: PeaksFlags) =>
      runOnce(async () => (await import('./peaks.ts')).runPeaks(loader, flags)),
    );
  withExamples(peaks, 'peaks product', 'peaks product --timezone Europe/Berlin');

  for (const act of ['pause', 'resume'] as const) {
    const command = fleetCommand(
      program,
      act,
      `${act} the refreshing of a loader in the whole fleet`,
    )
      .argument('<loader>', "the loader's name")
      .action((loader: string, flags: PauseFlags) =>
        runOnce(async () => (await import('./pause.ts')).runPause(act, loader, flags)),
      );
    withExamples(command, `${act} product`);
  }

  const invalidate = fleetCommand(
    program,
    'invalidate',
    'remove entries, by key, tag, pattern or loader',
  )
    .argument('[loader]', 'of keys or a pattern: the name of their loader')
    .argument('[key...]', 'the params as key texts')
    .option('--tag <tag...>', 'everything with one of these tags, of any loader')
    .option('--pattern <glob>', "the loader's keys like this, e.g. 'eu:*'")
    .option('--loader <name>', 'every key of this loader')
    .option('--soft', 'leave the values in place, to be served while they are loaded anew')
    .option('--dry-run', 'only count the entries')
    .action((loader: string | undefined, keys: string[], flags: InvalidateFlags) =>
      runOnce(async () => (await import('./invalidate.ts')).runInvalidate({ loader, keys }, flags)),
    );
  withExamples(
    invalidate,
    'invalidate product sku-42 sku-43',
    'invalidate --tag shop:eu --soft',
    "invalidate product --pattern 'eu:*' --dry-run",
    'invalidate --loader product',
  );

  const doctor = fleetCommand(
    program,
    'doctor',
    'check servers, loaders and roles, and say how to mend them',
  )
    .option('--strict', 'warnings count as failures')
    .action((flags: DoctorFlags) =>
      runMain(async () => (await import('./doctor.ts')).runDoctorCommand(flags)),
    );
  withExamples(doctor, 'doctor', 'doctor --strict --json');
  doctor.addHelpText(
    'after',
    '\nExit code: 0 all is fine, perhaps with warnings; 1 it could not run; 2 a check failed.',
  );
}
