import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { everwarmProgram } from '../../src/cli/program.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const everywhere = sectionOf('Flags of most commands');
/** Of every command. */
const HELP = '--help';

/** What the page says under a heading. */
function sectionOf(heading: string): string {
  const after = page.split(new RegExp(`^## ${heading}$`, 'm'))[1] ?? '';
  return after.split(/^## /m)[0] ?? '';
}

function headingOf(command: string): string {
  return command === 'pause' || command === 'resume' ? 'pause and resume' : command;
}

const { commands } = everwarmProgram();

test.for(commands.map((command) => [command.name(), command] as const))(
  'docs/cli.md has every flag of %s, with what it takes',
  ([name, command]) => {
    const section = sectionOf(headingOf(name));
    expect(section).not.toBe('');
    for (const { flags } of command.options) {
      expect(`${section}${everywhere}`, flags).toContain(flags);
    }
  },
);

test('docs/cli.md has no command and no flag that there is not', () => {
  const known = new Set(commands.flatMap(({ options }) => options.map(({ long }) => long)));
  const flags = [...page.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
  const ofOthers = [HELP, '--import'];
  expect(flags.filter((flag) => !known.has(flag) && !ofOthers.includes(flag))).toEqual([]);

  const names = commands.map((command) => headingOf(command.name()));
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  const others = ['Flags of most commands', 'Exit codes'];
  expect(headings.filter((heading) => !others.includes(heading ?? '')).sort()).toEqual(
    [...new Set(names)].sort(),
  );
});
