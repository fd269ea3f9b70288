import { expect, test } from 'vitest';
import { Keys } from '../../src/redis/keys.ts';
import { readOriginState } from '../../src/redis/origin-state.ts';
import { budgeted } from '../helpers/budgeted-loader.ts';
import { gate, openCache } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

test('tells what the fleet knows of an origin, from state to state', async () => {
  const namespace = uniqueNamespace();
  const redis = connect();
  const state = { isDown: false, held: gate() };
  const { loader, calls } = budgeted({
    origin: { rate: { max: 3, per: '1m' }, breaker: { failures: 1, openFor: '500ms' } },
    call: async () => {
      await state.held.opened;
      if (state.isDown) throw Object.assign(new Error('down'), { retryAfterMs: 400 });
    },
  });
  const cache = await openCache({ namespace, loaders: [loader] });
  const keys = new Keys(namespace);
  const now = () => readOriginState(redis, { keys, loader }, Date.now());
  const calm = { breaker: 'closed', untilMs: null, pausedUntilMs: null, isLimiting: false };
  const rate = { max: 3, perMs: 60_000, nextInMs: 0 };
  expect(await now()).toEqual({ ...calm, inFlight: 0, rate });

  const first = cache.get(loader, 'a');
  await expect.poll(() => calls.length).toBe(1);
  expect(await now()).toEqual({ ...calm, inFlight: 1, rate });
  state.held.open();
  await first;

  state.isDown = true;
  await cache.get(loader, 'b').catch(() => undefined);
  const open = { breaker: 'open', pausedUntilMs: expect.any(Number), isLimiting: true };
  await expect.poll(now).toMatchObject({ ...open, untilMs: expect.any(Number), inFlight: 0 });
  await expect
    .poll(now, { timeout: 2_000 })
    .toMatchObject({ breaker: 'half-open', pausedUntilMs: null });

  state.isDown = false;
  await expect.poll(() => cache.get(loader, 'c').catch(() => null)).toBe('c loaded');
  await expect.poll(now, { interval: 10 }).toMatchObject({ breaker: 'ramping' });
  const used = { ...rate, nextInMs: expect.any(Number) };
  await expect.poll(now, { timeout: 5_000 }).toMatchObject({ breaker: 'closed', rate: used });
  expect((await now())?.rate?.nextInMs).toBeGreaterThan(30_000);
});

test('is nothing for a loader without a budget', async () => {
  const { loader } = budgeted({ origin: {} });
  const parts = { keys: new Keys(uniqueNamespace()), loader: { ...loader, origin: null } };
  expect(await readOriginState(connect(), parts, Date.now())).toBeNull();
});
