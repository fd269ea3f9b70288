import { expect, test } from 'vitest';
import { Cancellation } from '../../src/core/cancellation.ts';
import { processClock } from '../../src/core/clock.ts';
import type { LoadReason } from '../../src/core/events.ts';
import { Events } from '../../src/core/events.ts';
import { isRefusal, type Refusal } from '../../src/core/origin.ts';
import { waitUnlessAborted } from '../../src/core/wait.ts';
import { type Permit, Permits, SHORT_PERMIT_WAIT_MS } from '../../src/load/permits.ts';
import { Keys } from '../../src/redis/keys.ts';
import { scriptClient } from '../../src/redis/scripts.ts';
import { budgeted } from '../helpers/budgeted-loader.ts';
import { commandCalls, ownServer } from '../helpers/cache.ts';
import { limited } from '../helpers/limited-loader.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

test('who can do without a permit asks again when a refusal said, not before', async () => {
  const redis = connect((await ownServer()).url);
  const { loader } = limited({ perMs: 600 });
  const keys = new Keys(uniqueNamespace());
  const parts = { scripts: scriptClient(redis), keys, clock: processClock, events: new Events() };
  const [other, permits] = [new Permits(parts), new Permits(parts)];
  /** Null: granted. */
  const take = async (from: Permits): Promise<number | null> => {
    const cancellation = new Cancellation();
    const answer = await from.take(loader, {
      reason: 'refresh',
      maxWaitMs: SHORT_PERMIT_WAIT_MS,
      cancellation,
    });
    return isRefusal(answer) ? answer.retryAfterMs : null;
  };
  const asked = async (): Promise<number | undefined> => (await commandCalls(redis)).lindex;
  const before = (await asked()) ?? 0;
  expect(await take(other)).toBeNull();
  const perAsk = ((await asked()) ?? 0) - before;
  const retryAfterMs = (await take(permits)) ?? 0;
  expect(retryAfterMs).toBeGreaterThan(SHORT_PERMIT_WAIT_MS);
  expect(await asked()).toBe(2 * perAsk);
  expect(await take(permits)).toBeGreaterThan(0);
  expect(await asked()).toBe(2 * perAsk);

  await waitUnlessAborted(retryAfterMs, new Cancellation());
  expect(await take(permits)).toBeNull();
  expect(await asked()).toBe(3 * perAsk);
});

test('misses go before refreshes, refreshes before warm-ups, though a place is free and they ask first', async () => {
  const redis = connect();
  const { loader } = budgeted({ origin: { concurrency: 1 } });
  const keys = new Keys(uniqueNamespace());
  const parts = { scripts: scriptClient(redis), keys, clock: processClock, events: new Events() };
  /** By a process of its own, which knows of no refusal. */
  const take = (reason: LoadReason, maxWaitMs: number): Promise<Permit | Refusal> =>
    new Permits(parts).take(loader, { reason, maxWaitMs, cancellation: new Cancellation() });
  const waits = (rank: number): Promise<void> =>
    expect.poll(() => redis.hexists(keys.origin(loader).origin, `waiting${rank}`)).toBe(1);
  const holder = (await take('miss', 0)) as Permit;
  const miss = take('miss', 10_000);
  await waits(0);

  holder.end([]);
  expect(await take('refresh', 0)).toMatchObject({ why: 'concurrency' });
  const served = (await miss) as Permit;
  expect(isRefusal(served)).toBe(false);

  served.end([]);
  const refresh = take('refresh', 10_000);
  await waits(1);
  expect(await take('warm', 0)).toMatchObject({ why: 'concurrency' });
  const refreshed = await refresh;
  expect(isRefusal(refreshed)).toBe(false);
});

test('warm-ups leave half of the budget alone, refreshes a fifth', async () => {
  const { loader } = budgeted({ origin: { concurrency: 5 } });
  const keys = new Keys(uniqueNamespace());
  const scripts = scriptClient(connect());
  const permits = new Permits({ scripts, keys, clock: processClock, events: new Events() });
  const granted = async (reason: LoadReason): Promise<number> => {
    for (let count = 0; ; count++) {
      const wait = { reason, maxWaitMs: 0, cancellation: new Cancellation() };
      if (isRefusal(await permits.take(loader, wait))) return count;
    }
  };
  expect(await granted('warm')).toBe(2);
  expect(await granted('refresh')).toBe(2);
  expect(await granted('miss')).toBe(1);
});
