import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Tick, TickLoop } from '../../../src/schedule/tick-loop.ts';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const TICK_MS = 50;
const IDLE_MS = 1_000;

/** A loop whose ticks note when they began; what is next to do is up to `next`. */
function loopOf(next: (tick: number) => number | null | Promise<number | null>) {
  const startedAtMs: number[] = [];
  const errors: unknown[] = [];
  const tick: Tick = async () => next(startedAtMs.push(Date.now()) - 1);
  const loop = new TickLoop(tick, {
    name: 'ticks',
    now: () => Date.now(),
    tickMs: TICK_MS,
    idleMs: IDLE_MS,
    onError: (error) => void errors.push(error),
  });
  return { loop, startedAtMs, errors };
}

describe('a loop of ticks', () => {
  test('starts at once and sleeps until the next thing to do', async () => {
    const { loop, startedAtMs } = loopOf((tick) => [300, 450, null][tick] ?? null);

    await vi.advanceTimersByTimeAsync(1_000);

    expect(startedAtMs).toEqual([0, 300, 450]);
    await loop.close();
  });

  test('looks again after the longest pause, as reads may make a key due at any time', async () => {
    const { loop, startedAtMs } = loopOf((tick) => (tick === 0 ? null : Date.now() + 60_000));

    await vi.advanceTimersByTimeAsync(2_500);

    expect(startedAtMs).toEqual([0, 1_000, 2_000]);
    await loop.close();
  });

  test('pauses for at least a tick, though there is always something to do', async () => {
    const { loop, startedAtMs } = loopOf(() => 0);

    await vi.advanceTimersByTimeAsync(170);

    expect(startedAtMs).toEqual([0, 50, 100, 150]);
    await loop.close();
  });

  test('runs one tick at a time, however long it takes', async () => {
    const durationMs = 700;
    const { loop, startedAtMs } = loopOf(
      () => new Promise((resolve) => setTimeout(resolve, durationMs, 0)),
    );

    await vi.advanceTimersByTimeAsync(2_000);

    expect(startedAtMs).toEqual([0, 750, 1_500]);
    const closed = loop.close();
    await vi.advanceTimersByTimeAsync(durationMs);
    await closed;
  });

  test('survives a tick that fails: reports it, and tries again after the longest pause', async () => {
    const failure = new Error('Redis is away');
    const { loop, startedAtMs, errors } = loopOf((tick) => {
      if (tick === 0) throw failure;
      return tick === 1 ? Promise.reject(failure) : null;
    });

    await vi.advanceTimersByTimeAsync(2_500);

    expect(errors).toEqual([failure, failure]);
    expect(startedAtMs).toEqual([0, 1_000, 2_000]);
    await loop.close();
  });
});

describe('closing a loop', () => {
  test('waits for the tick under way, and starts no other', async () => {
    let finish = (_nextAtMs: number): void => undefined;
    const { loop, startedAtMs } = loopOf(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    await vi.advanceTimersByTimeAsync(0);
    let isClosed = false;

    const closed = loop.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isClosed).toBe(false);
    finish(0);
    await closed;

    await vi.advanceTimersByTimeAsync(5_000);
    expect(startedAtMs).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('before its first tick keeps it from starting', async () => {
    const { loop, startedAtMs } = loopOf(() => null);

    await loop.close();
    await vi.advanceTimersByTimeAsync(5_000);

    expect(startedAtMs).toEqual([]);
  });

  test('complains before its first tick, and when none has succeeded since two were due', async () => {
    const { loop } = loopOf((tick) => {
      if (tick >= 3) throw new Error('Redis is away');
      return null;
    });
    expect(loop.complaint()).toBe('ticks: never yet');

    await vi.advanceTimersByTimeAsync(2_000);
    expect(loop.complaint()).toBeNull();
    await vi.advanceTimersByTimeAsync(2 * IDLE_MS + 5_000);
    expect(loop.complaint()).toBeNull();
    await vi.advanceTimersByTimeAsync(1);

    expect(loop.complaint()).toBe('ticks: not for 7.0 s');
    await loop.close();
  });
});
