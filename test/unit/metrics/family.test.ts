import { expect, test } from 'vitest';
import { Family } from '../../../src/metrics/family.ts';
import { METRICS } from '../../../src/metrics/metrics.ts';

const MORE_THAN_FIT = 3_000;

test('a metric has a bounded number of series, whatever its labels are', () => {
  const counts = new Family(METRICS.readsDropped);
  const times = new Family(METRICS.readDuration);
  for (let nth = 0; nth < MORE_THAN_FIT; nth++) {
    counts.add([`loader ${nth}`]);
    times.observe([`loader ${nth}`], 1);
  }
  expect(counts.samples()).toHaveLength(2_000);
  expect(times.samples()).toHaveLength(2_000);
  counts.add(['loader 0']);
  expect(counts.samples()[0]).toEqual({ labels: ['loader 0'], value: 2 });
});
