import { expect, it } from 'vitest';
import { demo } from '../helpers/demo.ts';

it('has fewer readers wait in the morning where the cache was warmed', async () => {
  const { cold, warmed } = JSON.parse(await demo('warm.js', ['--speed', '15', '--json']));

  expect(warmed.originLoads[0]).toBeGreaterThanOrEqual(400);
  expect(warmed.waits).toBeLessThan(0.6 * cold.waits);
  expect(warmed.waitsByMinute[0]).toBeLessThan(cold.waitsByMinute[0] / 2);
});
