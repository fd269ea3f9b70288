import { expect, test } from 'vitest';
import { burstyReads, zipfReads } from '../../../bench/synthetic-reads.ts';

const TRACE = { reads: 20_000, keys: 1_000, exponent: 1, readsPerSecond: 100, seed: 1 };

test('reads by Zipf come in order of time, at the rate, the first key most often', () => {
  const reads = [...zipfReads(TRACE)];
  const times = reads.map(({ tMs }) => tMs);
  const share = (key: number): number => reads.filter((read) => read.key === key).length / 20_000;

  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.at(-1)).toBeGreaterThan(190_000);
  expect(times.at(-1)).toBeLessThan(210_000);
  // 1 and 1/10 of the sum of 1/n up to 1,000.
  expect(share(0)).toBeCloseTo(1 / 7.485, 2);
  expect(share(9)).toBeCloseTo(0.1 / 7.485, 2);
});

test('bursty reads leave a key alone for long, and come back', () => {
  const reads = [...burstyReads({ ...TRACE, onMs: 10_000 })].filter(({ key }) => key === 0);
  const gaps = reads.slice(1).map(({ tMs }, at) => tMs - (reads[at]?.tMs ?? 0));

  expect(reads.length).toBeGreaterThan(200);
  expect(Math.max(...gaps)).toBeGreaterThan(10_000);
  expect(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeLessThan(100);
});

test('the same seed gives the same reads', () => {
  expect([...zipfReads(TRACE)]).toEqual([...zipfReads(TRACE)]);
  expect([...zipfReads({ ...TRACE, seed: 2 })]).not.toEqual([...zipfReads(TRACE)]);
});
