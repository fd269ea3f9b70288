import { describe, expect, test } from 'vitest';
import type { Cache, OriginOptions } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';
import { type Budgeted, budgeted } from '../helpers/budgeted-loader.ts';
import { entryBytes, entryKey, gate, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const BREAKER = { breaker: { failures: 4, openFor: 600 } } satisfies OriginOptions;
const LONG = { breaker: { failures: 4, openFor: '1m' } } satisfies OriginOptions;
const PROBE = { timeout: 5_000, interval: 20 };

async function fleet(
  size: number,
  more: Omit<Budgeted, 'origin'>,
  origin: OriginOptions = BREAKER,
) {
  const namespace = uniqueNamespace();
  const made = budgeted({ origin, ...more });
  const caches: Cache[] = [];
  for (let n = 0; n < size; n++)
    caches.push(await openCache({ namespace, loaders: [made.loader] }));
  const read = (n: number, key: string): Promise<string | Error> =>
    (caches[n % size] as Cache).get(made.loader, key).catch((error: Error) => error);
  return { ...made, namespace, caches, read };
}

/** An origin that fails until told otherwise. */
function failing() {
  const state = { isDown: true };
  const call = (): void => {
    if (state.isDown) throw new Error('down');
  };
  return { state, call };
}

describe('the breaker of an origin', () => {
  test('opens by the failures of the fleet: no process calls it then, and readers fail at once', async () => {
    const { caches, calls, read } = await fleet(4, { call: failing().call }, LONG);
    const opened = Promise.race(caches.map((cache) => nextEvent(cache, 'origin:opened')));
    for (let n = 0; n < 4; n++)
      expect(await read(n, `key${n}`)).toMatchObject({ code: 'LOADER_FAILED' });
    expect(await opened).toMatchObject({ loader: 'item', retryAtMs: expect.any(Number) });

    const refusals = await Promise.all(Array.from({ length: 12 }, (_, n) => read(n, `more${n}`)));

    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'ORIGIN_UNAVAILABLE' });
    expect((refusals[0] as Error).message).toMatch(
      /^loader "item" was not called for key more0: its origin has been failing for \d+ ms, the next probe is in \d+ ms$/,
    );
    expect(calls).toHaveLength(4);
  });

  test('does not open while an answer comes between, nor by what was given up', async () => {
    const { call, state } = failing();
    const { caches, calls, read } = await fleet(2, { call });
    const opened = caches.map((cache) => recorded(cache, 'origin:opened'));
    for (let n = 0; n < 12; n++) {
      state.isDown = n % 4 !== 3;
      await read(n, `key${n}`);
    }
    expect(calls).toHaveLength(12);
    expect(opened.flat()).toEqual([]);
  });

  test('opens by so many failures of the last calls, though answers come between', async () => {
    const { call, state } = failing();
    const origin = { breaker: { failures: 3, of: 5, openFor: '1m' } } satisfies OriginOptions;
    const { calls, read } = await fleet(2, { call }, origin);
    const ends = ['x', '.', '.', '.', 'x', '.', 'x', '.', 'x'];
    for (const [n, end] of ends.entries()) {
      state.isDown = end === 'x';
      await read(n, `key${n}`);
    }
    state.isDown = false;
    expect(await read(0, 'more')).toMatchObject({ code: 'ORIGIN_UNAVAILABLE' });
    expect(calls).toHaveLength(ends.length);
  });

  test('serves stale values while it is open', async () => {
    const stale = { call: failing().call, staleMs: 60_000 };
    const { calls, read, loader, namespace } = await fleet(1, stale, LONG);
    const past = { createdAtMs: Date.now() - 60_000, expiresAtMs: Date.now() - 1_000 };
    await connect().set(entryKey(namespace, loader, 'old'), entryBytes('stale', past));
    for (let n = 0; n < 4; n++) await read(0, `key${n}`);
    expect(await read(0, 'old')).toBe('stale');
    expect(calls).toHaveLength(4);
  });

  test('lets exactly one call try when its time is over, however many want to', async () => {
    const { state, call } = failing();
    const probe = gate();
    const made = await fleet(4, { call: () => (state.isDown ? call() : probe.opened) });
    const { calls, read, caches } = made;
    for (let n = 0; n < 4; n++) await read(n, `key${n}`);
    state.isDown = false;
    // Asked by many at once, until one is let through.
    const answers: Promise<unknown>[] = [];
    await expect
      .poll(() => {
        for (let n = 0; n < 8; n++) answers.push(read(n, `probe${answers.length}`));
        return calls.length;
      }, PROBE)
      .toBe(5);
    const more = await Promise.all(Array.from({ length: 20 }, (_, n) => read(n, `more${n}`)));
    for (const one of more) expect(one).toMatchObject({ code: 'ORIGIN_UNAVAILABLE' });
    expect(calls).toHaveLength(5);

    const closed = Promise.race(caches.map((cache) => nextEvent(cache, 'origin:closed')));
    probe.open();
    expect(await closed).toEqual({ loader: 'item' });
    await Promise.all(answers);
    // The others learn it when they ask next.
    await expect.poll(() => read(0, 'after'), PROBE).toBe('after loaded');
  });

  test('stays open when the one that tries fails', async () => {
    const { calls, read, caches } = await fleet(3, { call: failing().call });
    for (let n = 0; n < 4; n++) await read(n, `key${n}`);
    const again = Promise.race(caches.map((cache) => nextEvent(cache, 'origin:opened')));
    await expect
      .poll(async () => (await read(calls.length, `probe${Math.random()}`)) as unknown, PROBE)
      .toMatchObject({ code: 'LOADER_FAILED' });
    await again;
    expect(await read(1, 'another')).toMatchObject({ code: 'ORIGIN_UNAVAILABLE' });
    expect(calls).toHaveLength(5);
  });

  test('lets ever more calls through after that, not all at once', async () => {
    const origin = { concurrency: 20, breaker: { failures: 1, openFor: 1_500 } };
    const { state, call } = failing();
    const hold = gate();
    let isProbed = false;
    const { calls, read, caches, namespace, loader, atATime } = await fleet(
      2,
      { call: () => (state.isDown ? call() : isProbed ? hold.opened : undefined) },
      origin,
    );
    await read(0, 'first');
    state.isDown = false;
    const closed = Promise.race(caches.map((cache) => nextEvent(cache, 'origin:closed')));
    await expect.poll(() => read(0, `probe${Math.random()}`), PROBE).toMatch('loaded');
    await closed;
    isProbed = true;
    const before = calls.length;
    // The ramp is held at its beginning, as if no time passed: a tenth of 20.
    const redis = connect();
    const key = new Keys(namespace).origin(loader).origin;
    const beginAgain = async (shareMs: number): Promise<void> => {
      const [seconds, micros] = await redis.time();
      const nowMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
      await redis.hset(key, 'rampFrom', nowMs - shareMs);
    };
    await beginAgain(-60_000);
    const reads = Array.from({ length: 40 }, (_, n) => read(n, `key${n}`));
    // A probe that was under way may be one of them.
    await expect.poll(() => calls.length - before).toBeGreaterThanOrEqual(2);
    expect(calls.length - before).toBeLessThan(5);
    await beginAgain(600); // a quarter, for half a second
    await expect.poll(() => atATime.now, { timeout: 3_000, interval: 5 }).toBeGreaterThanOrEqual(5);
    await expect.poll(() => atATime.now, { timeout: 5_000, interval: 5 }).toBe(20);
    hold.open();
    await Promise.all(reads);
    expect(atATime.most).toBe(20);
  });
});

describe('an error that asks for a pause', () => {
  test('is honoured by every process, its readers wait or have a stale value', async () => {
    let isBusy = true;
    const call = (): void => {
      if (isBusy) throw Object.assign(new Error('429'), { retryAfterMs: 700 });
    };
    const { calls, read, caches } = await fleet(3, { call }, {});
    const paused = nextEvent(caches[0] as Cache, 'origin:paused');
    await read(0, 'a');
    expect(await paused).toMatchObject({ loader: 'item' });
    isBusy = false;
    const answers = await Promise.all([read(0, 'b'), read(1, 'c'), read(2, 'd')]);
    expect(answers).toEqual(['b loaded', 'c loaded', 'd loaded']);
    const [first, ...others] = calls;
    for (const { atMs } of others) expect(atMs - (first?.atMs ?? 0)).toBeGreaterThan(650);
  });

  test('fails those who cannot wait so long, without a call', async () => {
    const call = (): void => {
      throw Object.assign(new Error('429'), { retryAfterMs: 60_000 });
    };
    const { calls, read } = await fleet(2, { call, loadTimeoutMs: 500 }, {});
    await read(0, 'a');
    const refusal = await read(1, 'b');
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED' });
    expect((refusal as Error).message).toMatch(
      /^loader "item" was not called for key b: its origin has asked for a pause, retry after \d{5} ms$/,
    );
    expect(calls).toHaveLength(1);
  });

  test('may be read from any error by retryAfter', async () => {
    const retryAfter = (error: unknown): number => Number((error as Error).message) * 1_000;
    const call = (): void => {
      throw new Error('60');
    };
    const { calls, read } = await fleet(2, { call, loadTimeoutMs: 500 }, { retryAfter });
    await read(0, 'a');
    expect(await read(1, 'b')).toMatchObject({ code: 'RATE_LIMITED' });
    expect(calls).toHaveLength(1);
  });
});
