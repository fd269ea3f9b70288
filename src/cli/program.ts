import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { fleetCommands } from './fleet-commands.ts';
import { roleCommands } from './role-commands.ts';
import { toolCommands } from './tool-commands.ts';
import { warmCommands } from './warm-commands.ts';

/**
 * Every command with its flags. Only what a command is called with is here: what carries it out is
 * imported when it is run, as to load the library takes longer than most commands.
 */
export function everwarmProgram(): Command {
  const program = new Command('everwarm')
    .description('Refresh-ahead cache: keeps hot keys in Redis warm')
    .version(versionOfPackage())
    .showHelpAfterError();
  roleCommands(program);
  warmCommands(program);
  fleetCommands(program);
  toolCommands(program);
  return program;
}

function versionOfPackage(): string {
  // From dist/src/cli when compiled, from src/cli in tests.
  for (const path of ['../../../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version as string;
    } catch {
      // It is the other one.
    }
  }
  return 'unknown';
}
