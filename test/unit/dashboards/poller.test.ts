import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { POLL_MS, Poller, UNWATCHED_MS } from '../../../dashboards/live/poller.ts';
import type { Snapshot } from '../../../dashboards/live/snapshot.ts';

const HOUR_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function snapshotAt(atMs: number): Snapshot {
  const memory = { usedBytes: 1, maxBytes: 0, fullestShare: 0, policies: [], problem: null };
  return { atMs, loaders: [], cache: memory, queue: memory, warmUps: [] };
}

it('asks once for all who watch, seldom when nobody does, and not at all once closed', async () => {
  let asked = 0;
  const poller = new Poller(async () => {
    asked++;
    return snapshotAt(Date.now());
  });
  const seen = [0, 0, 0];
  const stops = seen.map((_, at) =>
    poller.watch(() => {
      seen[at] = (seen[at] ?? 0) + 1;
    }),
  );
  await vi.advanceTimersByTimeAsync(3 * POLL_MS);
  expect(asked).toBe(4);
  expect(seen).toEqual([4, 4, 4]);

  for (const stop of stops) stop();
  await vi.advanceTimersByTimeAsync(3 * UNWATCHED_MS);
  expect(asked).toBe(7);
  expect(poller.history.samples).toHaveLength(5); // Those of the first six seconds are two.
  poller.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('never has two questions under way, however slow the answer', async () => {
  let asked = 0;
  const poller = new Poller(() => {
    asked++;
    return new Promise(() => undefined);
  });
  const stop = poller.watch(() => undefined);
  await vi.advanceTimersByTimeAsync(5 * POLL_MS);
  expect(asked).toBe(1);
  stop();
  poller.close();
});

it('tells of a failure, and goes on', async () => {
  let isAway = true;
  const poller = new Poller(async () => {
    if (isAway) throw new Error('away');
    return snapshotAt(Date.now());
  });
  const errors: (string | null)[] = [];
  const stop = poller.watch(({ error }) => void errors.push(error));
  await vi.advanceTimersByTimeAsync(0);
  isAway = false;
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(errors).toEqual(['The figures cannot be read: away', null]);
  stop();
  poller.close();
});

it('keeps the last hour, a sample every 5 s, however often it is asked', async () => {
  const poller = new Poller(async () => snapshotAt(Date.now()));
  const stop = poller.watch(() => undefined);
  await vi.advanceTimersByTimeAsync(HOUR_MS + 600_000);
  stop();
  poller.close();
  const { samples } = poller.history;
  expect(samples.length).toBeLessThanOrEqual(720);
  expect(samples.length).toBeGreaterThan(500);
  expect((samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0)).toBeLessThanOrEqual(HOUR_MS);
});
