import { describe, expect, test } from 'vitest';
import type { Cache } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { scriptClient } from '../../src/redis/scripts.ts';
import { budgeted } from '../helpers/budgeted-loader.ts';
import { commandCalls, gate, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { startWorker } from '../helpers/origin-worker.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const keysTo = (count: number, prefix = 'key'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);

describe('calls at a time', () => {
  test('never are more than the fleet may have, in readers and workers, and none is left out', async () => {
    const namespace = uniqueNamespace();
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    const { loader, calls, atATime } = budgeted({ origin: { concurrency: 3 }, call: pause });
    const caches: Cache[] = [];
    for (let n = 0; n < 3; n++) caches.push(await openCache({ namespace, loaders: [loader] }));
    const outagesOfCaches = caches.map((cache) => recorded(cache, 'redis:failed'));
    const { refresh, outages } = startWorker(namespace, loader);
    await refresh(keysTo(10, 'refreshed'));

    const values = await Promise.all(
      keysTo(60).map((key, at) => (caches[at % 3] as Cache).get(loader, key)),
    );

    expect(values).toEqual(keysTo(60).map((key) => `${key} loaded`));
    // Whom Redis does not answer in time, on a busy machine, keeps to the budget by itself.
    const isOneFleet = [outages, ...outagesOfCaches].every(({ length }) => length === 0);
    expect(atATime.most).toBe(isOneFleet ? 3 : atATime.most);
    expect(calls.filter(({ reason }) => reason === 'miss')).toHaveLength(60);
  });

  test('count each other though they begin at the same instant', async () => {
    const redis = connect();
    const { run } = scriptClient(redis);
    const tag = `{${uniqueNamespace()}}`;
    const keys = ['origin', 'leases', 'grants', 'clock'].map((name) => `${tag}:${name}`);
    const budget = [3_000, 0, 200, 0, 0, 0, 0, 0, 0];
    const tokens = keysTo(400, 'token');

    const answers = await Promise.all(
      tokens.map((token) => run('enterOrigin', [...keys, token, ...budget])),
    );

    expect(answers.filter((answer) => (answer as [number])[0] === 1)).toHaveLength(200);
    expect(await redis.zcard(keys[1] ?? '')).toBe(200);
  });

  test('cost one question at a time where many wait', async () => {
    const server = await ownServer();
    const redis = connect(server.url);
    const held = gate();
    const { loader, calls } = budgeted({ origin: { concurrency: 1 }, call: () => held.opened });
    const cache = await openCache({ redis: server.url, loaders: [loader], recording: false });
    const first = cache.get(loader, 'first');
    await expect.poll(() => calls.length).toBe(1);
    const asked = async (): Promise<number> => (await commandCalls(redis)).zcard ?? 0;
    const reads = keysTo(100).map((key) => cache.get(loader, key));
    const locks = (): Promise<string[]> => redis.keys('*:lock');
    await expect.poll(async () => (await locks()).length).toBe(101);
    await expect.poll(asked).toBeGreaterThan(10); // at first nobody had been refused yet
    const before = await asked();
    await new Promise((resolve) => setTimeout(resolve, 500)); // the time over which questions are counted
    expect((await asked()) - before).toBeLessThan(30);
    held.open();
    await Promise.all([first, ...reads]);
    expect(calls).toHaveLength(101);
  });

  test('are freed by an aborted wait and a call that throws', async () => {
    const { loader, calls } = budgeted({
      origin: { concurrency: 1 },
      call: () => {
        throw new Error('no');
      },
    });
    const cache = await openCache({ loaders: [loader] });
    for (const key of keysTo(5)) {
      await expect(cache.get(loader, key)).rejects.toMatchObject({ code: 'LOADER_FAILED' });
    }
    expect(calls).toHaveLength(5);
  });

  test('end a wait when the cache closes', async () => {
    const held = gate();
    const { loader, calls } = budgeted({ origin: { concurrency: 1 }, call: () => held.opened });
    const cache = await openCache({ loaders: [loader] });
    const first = cache.get(loader, 'first');
    await expect.poll(() => calls.length).toBe(1);
    const waiting = cache.get(loader, 'second');
    const ended = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    first.catch(() => undefined);
    await cache.close();
    await ended;
    held.open();
    expect(calls).toHaveLength(1);
  });

  test('fail a read that got no place within loadTimeout', async () => {
    const held = gate();
    const { loader, calls } = budgeted({
      origin: { concurrency: 1 },
      call: () => held.opened,
      loadTimeoutMs: 400,
    });
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [loader] });
    const place = new Keys(namespace).origin(loader).leases;
    await connect().zadd(place, String(Date.now() + 2_500), 'of another process');
    await expect(cache.get(loader, 'a')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringContaining('its origin takes 1 calls at a time'),
    });
    expect(calls).toEqual([]);
  });

  test('are prolonged while they last, and free themselves where nobody does that', async () => {
    const held = gate();
    const { loader, calls } = budgeted({ origin: { concurrency: 2 }, call: () => held.opened });
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [loader] });
    const redis = connect();
    const { leases } = new Keys(namespace).origin(loader);
    const long = cache.get(loader, 'long');
    await expect.poll(() => calls.length).toBe(1);
    const [token = ''] = (await redis.zrange(leases, '0', '0')) as string[];
    const untilMs = async (): Promise<number> => Number(await redis.zscore(leases, token));
    const firstMs = await untilMs();
    await redis.zadd(leases, String(Date.now() + 2_000), 'of a process that died');
    const next = cache.get(loader, 'next');
    await expect.poll(untilMs, { timeout: 4_000 }).toBeGreaterThan(firstMs);
    await expect.poll(() => calls.length, { timeout: 4_000 }).toBe(2);
    held.open();
    expect(await Promise.all([long, next])).toEqual(['long loaded', 'next loaded']);
  });
});

describe('a worker', () => {
  test('uses up no attempts while the breaker is open', async () => {
    const namespace = uniqueNamespace();
    const origin = { breaker: { failures: 2, openFor: '1m' } } as const;
    const { loader, calls } = budgeted({
      origin,
      call: () => {
        throw new Error('down');
      },
    });
    const cache = await openCache({ namespace, loaders: [loader] });
    for (const key of keysTo(2)) await cache.get(loader, key).catch(() => undefined);
    const { refresh, skips, failures, tracker } = startWorker(namespace, loader);
    const redis = connect();
    await redis.hset(
      new Keys(namespace).tracker(loader, tracker.halfLifeMs).failing,
      'a',
      '{"attempts":3}',
    );
    const startedAtMs = Date.now();
    await refresh(['a', 'b']);
    await expect.poll(() => skips.length, { timeout: 5_000 }).toBe(2);
    expect(skips.map(({ why }) => why)).toEqual(['origin-open', 'origin-open']);
    const { due } = new Keys(namespace).tracker(loader, tracker.halfLifeMs);
    await expect
      .poll(async () => Math.min(...(await redis.zmscore(due, 'a', 'b')).map(Number)))
      .toBeGreaterThan(startedAtMs + 30_000);
    expect(await tracker.failedAttempts(['a', 'b'])).toEqual([3, 0]);
    expect(failures).toEqual([]);
    expect(calls).toHaveLength(2);
  });

  test('takes one permit for a loadMany, whose errors fail their keys alone', async () => {
    const namespace = uniqueNamespace();
    // Refreshes may use 8 of the 10; 24 keys are 8 jobs.
    const origin = {
      rate: { max: 10, per: '1m' },
      breaker: { failures: 1, openFor: '1m' },
    } as const;
    const { many, calls } = budgeted({ origin, badKey: 'key1' });
    const { refresh, failures, refreshed, skips } = startWorker(namespace, many);
    await refresh(keysTo(24));
    await expect.poll(() => refreshed.length, { timeout: 5_000 }).toBe(23);
    await expect.poll(() => failures.map(({ key }) => key)).toEqual(['key1']);
    expect(calls.map(({ keys }) => keys.length)).toEqual(Array(8).fill(3));
    await refresh(keysTo(2, 'more'));
    await expect.poll(() => skips.map(({ why }) => why)).toEqual(['limited', 'limited']);
    expect(calls).toHaveLength(8);
  });
});

test('without Redis each process keeps to the budget and the breaker by itself', async () => {
  const server = await ownServer();
  const state = { isDown: false };
  const pause = async (): Promise<void> => {
    if (state.isDown) throw new Error('down');
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const { loader, calls, atATime } = budgeted({
    origin: { concurrency: 2, breaker: { failures: 3, openFor: '1m' } },
    call: pause,
  });
  const cache = await openCache({ redis: server.url, loaders: [loader] });
  await cache.get(loader, 'first');
  await server.close();
  const values = await Promise.all(keysTo(10).map((key) => cache.get(loader, key)));
  expect(values).toHaveLength(10);
  expect(atATime.most).toBe(2);
  state.isDown = true;
  for (const key of keysTo(3, 'down')) {
    await expect(cache.get(loader, key)).rejects.toMatchObject({ code: 'LOADER_FAILED' });
  }
  const before = calls.length;
  await expect(cache.get(loader, 'more')).rejects.toMatchObject({ code: 'ORIGIN_UNAVAILABLE' });
  expect(calls).toHaveLength(before);
});
