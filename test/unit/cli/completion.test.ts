import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { completionScript } from '../../../src/cli/completion.ts';
import { everwarmProgram } from '../../../src/cli/program.ts';

const program = everwarmProgram();

/** What bash would offer for these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(everwarm ${quoted}); COMP_CWORD=${words.length}; _everwarm; echo "\${COMPREPLY[*]}"`;
  const script = `${completionScript('bash', program)}\n${ask}`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
}

test('bash completes commands, then the flags of the command', () => {
  expect(offered('s')).toEqual(['scheduler', 'schedule', 'stats', 'simulate']);
  expect(offered('doctor', '--s')).toEqual(['--strict']);
  expect(offered('top', '--')).toContain('--interval');
  expect(offered('top', 'x')).toEqual(['']); // Files.
});

test.for(['bash', 'zsh', 'fish'] as const)('the script for %s names every command', (shell) => {
  const script = completionScript(shell, program);
  for (const command of program.commands) expect(script).toContain(command.name());
  expect(script).toMatch(shell === 'fish' ? /-l dry-run/ : /--dry-run/);
});

test('descriptions cannot end the quotes they stand in', () => {
  for (const line of completionScript('fish', program).split('\n')) {
    expect((line.match(/'/g) ?? []).length % 2, line).toBe(0);
  }
});
