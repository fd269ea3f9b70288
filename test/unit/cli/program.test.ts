import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { everwarmProgram } from '../../../src/cli/program.ts';

const program = everwarmProgram();

/** The files that are imported whenever this one is, not by `import()` nor for types alone. */
function loadedWith(url: URL, seen = new Set<string>()): Set<string> {
  const text = readFileSync(url, 'utf8');
  for (const [statement, from = ''] of text.matchAll(
    /^import (?!type )(?:[^;]*? from )?'([^']+)'/gm,
  )) {
    if (/^import \{(?:\s*type [^,}]+,?)+\s*\} from/.test(statement) || seen.has(from)) continue;
    if (!from.startsWith('.')) {
      seen.add(from);
      continue;
    }
    const next = new URL(from, url);
    if (seen.has(fileURLToPath(next))) continue;
    seen.add(fileURLToPath(next));
    loadedWith(next, seen);
  }
  return seen;
}

test('to start a command loads commander and no part of the library but its errors', () => {
  const loaded = [...loadedWith(new URL('../../../src/cli/main.ts', import.meta.url))];
  const packages = loaded.filter((name) => !name.startsWith('/') && !name.startsWith('node:'));
  const files = loaded.filter((name) => name.startsWith('/') && !name.includes('/src/cli/'));

  expect(packages).toEqual(['commander']);
  expect(files.map((file) => file.split('/').slice(-2).join('/')).sort()).toEqual([
    'core/errors.ts',
    'workers/log-choices.ts',
    'workers/main.ts',
  ]);
});

test.for(program.commands.map((command) => [command.name(), command] as const))(
  '%s says what it is for and shows how it is called',
  ([name, command]) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();

    expect(command.description()).not.toBe('');
    expect(help).toMatch(new RegExp(`Examples:\\n  \\$ everwarm ${name}\\b`));
    for (const { long, description } of command.options) {
      expect(description, long).not.toBe('');
    }
  },
);

test('what prints and ends can print JSON', () => {
  const without = program.commands
    .filter(({ options }) => !options.some(({ long }) => long === '--json'))
    .map((command) => command.name());
  expect(without).toEqual(['worker', 'scheduler', 'dashboard', 'password', 'dev', 'completion']);
});
