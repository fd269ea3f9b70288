import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startTimeLimit } from '../../../src/core/time-limit.ts';

/** Holds up the event loop. */
function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test('a limit counts from its start, not from the beginning of a long turn', async () => {
  await turn();
  block(100);
  const startedAtMs = performance.now();
  const elapsedMs = await new Promise<number>((resolve) => {
    startTimeLimit(50, () => resolve(performance.now() - startedAtMs));
  });

  expect(elapsedMs).toBeGreaterThanOrEqual(49);
});

test('a limit that is stopped does not expire', async () => {
  let isExpired = false;
  const stop = startTimeLimit(1, () => {
    isExpired = true;
  });
  stop();
  await new Promise<void>((resolve) => void startTimeLimit(20, resolve));

  expect(isExpired).toBe(false);
});
