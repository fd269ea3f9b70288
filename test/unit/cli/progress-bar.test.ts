import { expect, test } from 'vitest';
import { ProgressBar, progressLine } from '../../../src/cli/progress-bar.ts';

const shown = {
  done: 1_000,
  skipped: 200,
  failed: 50,
  total: 5_000,
  keysPerSecond: 119.7,
  expectedEndAtMs: 31_250,
};

test('a progress line has the share, the counts, the rate and the time left', () => {
  expect(progressLine(shown, 0)).toBe(
    '██████░░░░░░░░░░░░░░░░░░ 25 %  1,250 of 5,000  1,000 loaded  200 fresh  50 failed  120/s  32 s left',
  );
});

test('without a total there is no share and no end', () => {
  expect(progressLine({ ...shown, total: null, expectedEndAtMs: null }, 0)).toBe(
    '1,250 keys  1,000 loaded  200 fresh  50 failed  120/s',
  );
});

test('in a pipe a short run is one line, its end', () => {
  const written: string[] = [];
  const stream = { isTTY: false, write: (text: string) => written.push(text) };
  const bar = new ProgressBar(stream as unknown as NodeJS.WriteStream);
  bar.show(shown);
  bar.end({ ...shown, skipped: 3_950 });
  expect(written).toEqual(['100 %  5,000 of 5,000  1,000 loaded  3,950 fresh  50 failed  120/s\n']);
});
