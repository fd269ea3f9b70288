import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runSimulation, type SimulateFlags } from '../../../src/cli/simulate.ts';

const TRACE = fileURLToPath(
  new URL('../../../examples/demo/traces/dns_wrccdc_21m.csv.gz', import.meta.url),
);
const FLAGS = {
  ttl: '60s',
  loadTime: '200ms',
  threshold: [],
  wasteBudget: [],
} as const;

test.for<[wrong: Record<string, unknown>, message: string]>([
  [{ ttl: '60' }, '`--ttl` ("60") needs a unit'],
  [{ ttl: '-60s' }, '`--ttl` ("-60s") must be a duration'],
  [{ ttl: '50ms' }, '`--ttl` ("50ms") must be at least 100 ms'],
  [{ loadTime: 'fast' }, '`--load-time` ("fast") must be a duration'],
  [{ loadTime: '0ms' }, '`--load-time` ("0ms") must be at least 1 ms'],
  [{ ttl: '1h' }, 'the first 7200000 ms (two ttl) are warm-up: nothing is left to count'],
  [{ keys: 'none.csv' }, 'none.csv does not exist'],
  [{ keys: TRACE }, 'has no column load_ms or rtt_ms_p50'],
])('a simulation with %j is refused', async ([wrong, message]) => {
  const flags = { ...FLAGS, ...wrong } as SimulateFlags;

  await expect(runSimulation(TRACE, flags)).rejects.toThrow(message);
});

test('a simulation without a trace is refused before anything else is read', async () => {
  await expect(runSimulation('none.csv', FLAGS)).rejects.toThrow('none.csv does not exist');
});
