#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { runMain } from '../../workers/main.ts';
import { type RoleFlags, runRole } from '../../workers/run-role.ts';
import { type DashboardFlags, runDashboard } from './dashboard.ts';
import { type DevFlags, runDev } from './dev.ts';
import { type ExplainFlags, runExplain } from './explain.ts';
import { runPassword } from './password.ts';
import { type PauseFlags, runPause } from './pause.ts';
import { runSchedule } from './schedule.ts';
import { simulateCommand } from './simulate.ts';
import { runWarm, type WarmFlags } from './warm.ts';

const manifest = new URL('../../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

const program = new Command('everwarm')
  .description('Refresh-ahead cache: keeps hot keys in Redis warm')
  .version(version)
  .showHelpAfterError();

roleCommand('worker', 'compute refreshes that schedulers enqueue')
  .option('--concurrency <n>', 'loader calls at a time, per loader', wholeNumber)
  .option('--grace <duration>', 'how long running loads may finish at shutdown, e.g. 10s')
  .action((flags: RoleFlags) => runMain(() => runRole('worker', flags)));

roleCommand('scheduler', 'choose keys to refresh before they expire')
  .option('--shadow', 'only say what would be refreshed')
  .action((flags: RoleFlags) => runMain(() => runRole('scheduler', flags)));

roleCommand('dashboard', 'serve the dashboard: overview, keys, warm-ups, and every queue')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <n>', 'port; 0: a free one', wholeNumber, 3000)
  .option('--allowed-host <name...>', 'names it may be reached by, besides loopback ones')
  .option(
    '--auth <entry...>',
    'user:scrypt$N$r$p$salt$hash or bearer:token; or EVERWARM_DASHBOARD_AUTH',
  )
  .option('--read-only', 'nobody may change anything')
  .option('--hide-values', 'never show what is cached')
  .option('--hide-keys', 'show hashes instead of keys')
  .action((flags: DashboardFlags) => runMain(() => runDashboard(flags)));

program
  .command('password')
  .description("make a user's entry for the dashboard's --auth; asks for the password")
  .argument('<name>', "the user's name")
  .action((name: string) => runOnce(() => runPassword(name)));

roleCommand('dev', 'run all roles, the dashboard and, without REDIS_URL, a Redis of its own')
  .option('--port <n>', 'port of that Redis; 0: a free one', wholeNumber, 0)
  .option('--dashboard-port <n>', 'port of the dashboard; 0: a free one', wholeNumber, 3000)
  .argument('[command...]', 'after --: a program to run with REDIS_URL set, e.g. -- node app.mjs')
  .action((command: string[], flags: DevFlags) => runMain(() => runDev(flags, command)));

program.addCommand(simulateCommand().showHelpAfterError());
roleCommand('warm', 'run a warm-up now, or load keys of a loader before they are read')
  .argument('<name>', 'a warm-up of the loaders file, or a loader')
  .option('--keys <file>', 'of a loader: keys of a file, one a line')
  .option('--hottest <n>', 'of a loader: its hottest keys', wholeNumber)
  .option('--dry-run', 'count the keys and show the first ones, but load none')
  .action((name: string, flags: WarmFlags) => runMain(() => runWarm(flags, name)));

roleCommand('schedule', 'print the warm-ups with their last and next runs').action(
  (flags: RoleFlags) => runMain(() => runSchedule(flags)),
);

keyCommand('explain', 'say why a key is refreshed ahead or not')
  .argument('<loader>', "the loader's name")
  .argument('<key>', 'the params as key text, e.g. sku-42 or \'{"id":7}\'')
  .action((loader: string, key: string, flags: ExplainFlags) =>
    runOnce(() => runExplain([loader, key], flags)),
  );

for (const act of ['pause', 'resume'] as const) {
  keyCommand(act, `${act} the refreshing of a loader in the whole fleet`)
    .argument('<loader>', "the loader's name")
    .action((loader: string, flags: PauseFlags) => runOnce(() => runPause(act, loader, flags)));
}

await program.parseAsync();

/** An application's pools, opened by its loaders file, must not keep a command alive that is done. */
function runOnce(main: () => Promise<void>): Promise<void> {
  return runMain(() => main().then(() => process.exit()));
}

/** A command that asks or tells the fleet something, and ends. */
function keyCommand(name: string, description: string): Command {
  const command = program.command(name).description(description);
  command.addOption(
    new Option('--loaders <file>', 'module that exports the loaders')
      .env('EVERWARM_LOADERS')
      .default('loaders.js'),
  );
  return serverOptions(command).option('--json', 'print one line of JSON');
}

function roleCommand(name: string, description: string): Command {
  const command = program.command(name).description(description);
  command.requiredOption('--loaders <file>', 'module that exports the loaders');
  return serverOptions(command).option('--strict', 'refuse an unreachable or unsuitable Redis');
}

function serverOptions(command: Command): Command {
  return command
    .addOption(new Option('--redis <url>', 'Redis for both roles, or the cache').env('REDIS_URL'))
    .addOption(
      new Option('--queue-redis <url>', 'Redis for the queue and tracker').env('REDIS_QUEUE_URL'),
    )
    .addOption(
      new Option('--namespace <name>', 'first part of all keys').env('EVERWARM_NAMESPACE'),
    );
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('It must be a whole number of at least 0.');
}
