import { expect, test } from 'vitest';
import { Histogram } from '../../../src/core/histogram.ts';

test('counts a value under the first bound that it does not exceed', () => {
  const histogram = new Histogram([0, 1, 5]);
  for (const value of [-2, 0, 0.5, 1, 3, 9]) histogram.observe(value);
  expect(histogram.counts).toEqual([2, 2, 1, 1]);
  expect(histogram.sum).toBe(11.5);
});

test('adds what another one has counted', () => {
  const [one, other] = [new Histogram([1]), new Histogram([1])];
  one.observe(0.5);
  other.observe(2);
  one.add(other);
  expect(one.counts).toEqual([1, 1]);
  expect(one.sum).toBe(2.5);
});
