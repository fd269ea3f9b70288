import { expect, test } from 'vitest';
import { printSpan } from '../../../src/core/print-span.ts';

test.each([
  [0, '0 ms'],
  [340.4, '340 ms'],
  [999, '999 ms'],
  [1_000, '1.0 s'],
  [12_345, '12.3 s'],
  [90_000, '90.0 s'],
  [312_000, '5.2 min'],
  [9_000_000, '2.5 h'],
  [200 * 3_600_000, '8.3 d'],
  [-3_200, '-3.2 s'],
])('%d ms are printed as %s', (ms, text) => {
  expect(printSpan(ms)).toBe(text);
});
