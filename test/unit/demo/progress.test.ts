import { expect, it } from 'vitest';
import { formatProgress, ProgressLine } from '../../../examples/demo/progress.ts';

const PROGRESS = { share: 0.425, reads: 4_980, waits: { plain: 1_020, everwarm: 610 } };

function sink(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

it('tells how far the replay is and who has waited', () => {
  expect(formatProgress(PROGRESS)).toMatchInlineSnapshot(
    `" 42 %  4980 reads a side  waited for the origin: plain 1020, everwarm 610"`,
  );
  expect(formatProgress({ ...PROGRESS, share: 1.2 })).toContain('100 %');
});

it('rewrites one line on a terminal and leaves none behind', () => {
  const terminal = sink(true);
  const line = new ProgressLine(terminal);
  line.show(PROGRESS);
  line.clear();
  expect(terminal.written.join('')).not.toContain('\n');
  expect(terminal.written.at(-1)).toBe('\r\u001b[2K');
});

it('writes only a line now and then where there is no terminal', () => {
  const file = sink(false);
  const line = new ProgressLine(file);
  for (let i = 0; i < 20; i += 1) line.show(PROGRESS);
  line.clear();
  expect(file.written).toEqual([]);
});
