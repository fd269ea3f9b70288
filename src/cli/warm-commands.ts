import type { Command } from 'commander';
import { runMain } from '../../workers/main.ts';
import { jsonOption, positiveNumber, roleCommand, runOnce, withExamples } from './flags.ts';
import type { ScheduleFlags } from './schedule.ts';
import type { WarmFlags } from './warm.ts';

/** What is about warm-ups: warm, schedule. */
export function warmCommands(program: Command): void {
  const warm = roleCommand(
    program,
    'warm',
    'run a warm-up now, or load keys of a loader before they are read',
  )
    .argument('<name>', 'a warm-up of the loaders file, or a loader')
    .option('--keys <file>', 'of a loader: keys of a file, one a line')
    .option('--hottest <n>', 'of a loader: its hottest keys', positiveNumber)
    .option('--dry-run', 'count the keys and show the first ones, but load none')
    .action((name: string, flags: WarmFlags) =>
      runMain(async () => (await import('./warm.ts')).runWarm(flags, name)),
    );
  withExamples(
    jsonOption(warm),
    'warm morning --loaders loaders.js',
    'warm product --loaders loaders.js --keys bestsellers.txt',
    'warm product --loaders loaders.js --hottest 1000 --dry-run',
  );

  const schedule = roleCommand(
    program,
    'schedule',
    'print the warm-ups with their last and next runs',
  ).action((flags: ScheduleFlags) =>
    runOnce(async () => (await import('./schedule.ts')).runSchedule(flags)),
  );
  withExamples(jsonOption(schedule), 'schedule --loaders loaders.js');
}
