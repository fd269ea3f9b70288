import type { Command } from 'commander';
import { runMain } from '../../workers/main.ts';
import type { RoleFlags } from '../../workers/run-role.ts';
import type { DashboardFlags } from './dashboard.ts';
import type { DevFlags } from './dev.ts';
import {
  deployedCommand,
  measured,
  processCommand,
  runOnce,
  wholeNumber,
  withExamples,
} from './flags.ts';

/** What runs until it is told to stop: worker, scheduler, dashboard, dev. */
export function roleCommands(program: Command): void {
  const worker = measured(
    deployedCommand(program, 'worker', 'compute refreshes that schedulers enqueue'),
  )
    .option('--concurrency <n>', 'loader calls at a time, per loader', wholeNumber)
    .option('--grace <duration>', 'how long running loads may finish at shutdown, e.g. 10s')
    .action((flags: RoleFlags) => runMain(() => startRole('worker', flags)));
  withExamples(worker, 'worker --loaders loaders.js --concurrency 100 --grace 20s');

  const scheduler = measured(
    deployedCommand(program, 'scheduler', 'choose keys to refresh before they expire'),
  )
    .option('--shadow', 'only say what would be refreshed')
    .action((flags: RoleFlags) => runMain(() => startRole('scheduler', flags)));
  withExamples(
    scheduler,
    'scheduler --loaders loaders.js --redis redis://cache:6379 --queue-redis redis://queue:6379',
    'scheduler --loaders loaders.js --shadow',
  );

  const dashboard = measured(
    deployedCommand(
      program,
      'dashboard',
      'serve the dashboard: overview, keys, warm-ups, and every queue',
    ),
  )
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
    .action((flags: DashboardFlags) =>
      runMain(async () => (await import('./dashboard.ts')).runDashboard(flags)),
    );
  withExamples(dashboard, 'dashboard --loaders loaders.js --host 0.0.0.0 --auth "bearer:$TOKEN"');

  const password = program
    .command('password')
    .description("make a user's entry for the dashboard's --auth; asks for the password")
    .argument('<name>', "the user's name")
    .action((name: string) =>
      runOnce(async () => (await import('./password.ts')).runPassword(name)),
    );
  withExamples(password, 'password alice');

  const dev = processCommand(
    program,
    'dev',
    'run all roles, the dashboard and, without REDIS_URL, a Redis of its own',
  )
    .option('--port <n>', 'port of that Redis; 0: a free one', wholeNumber, 0)
    .option('--dashboard-port <n>', 'port of the dashboard; 0: a free one', wholeNumber, 3000)
    .argument('[command...]', 'after --: a program to run with REDIS_URL set, e.g. -- node app.mjs')
    .action((command: string[], flags: DevFlags) =>
      runMain(async () => (await import('./dev.ts')).runDev(flags, command)),
    );
  withExamples(dev, 'dev --loaders loaders.js', 'dev --loaders loaders.js -- node app.mjs');
}

async function startRole(role: 'worker' | 'scheduler', flags: RoleFlags): Promise<void> {
  const { runRole } = await import('../../workers/run-role.ts');
  await runRole(role, flags);
}
