import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SingleFlight } from '../../../src/read/single-flight.ts';

interface Call {
  resolve(value: string): void;
  reject(error: Error): void;
}

/** Flights that land when they are told to. */
function tower() {
  const flights = new SingleFlight<string>();
  const calls: Call[] = [];
  const run = (key: string, keepMs = 0): Promise<string> =>
    flights.run(key, (keep) => {
      if (keepMs > 0) keep(keepMs);
      return new Promise((resolve, reject) => calls.push({ resolve, reject }));
    });
  return { flights, calls, run };
}

describe('a flight', () => {
  test('is shared by all who come while it runs', async () => {
    const { calls, run } = tower();

    const answers = [run('a'), run('a'), run('a')];
    calls[0]?.resolve('landed');

    expect(await Promise.all(answers)).toEqual(['landed', 'landed', 'landed']);
    expect(calls).toHaveLength(1);
  });

  test('of one key has nothing to do with that of another', async () => {
    const { calls, run } = tower();

    const answers = [run('a'), run('b')];
    calls[1]?.resolve('b landed');
    calls[0]?.resolve('a landed');

    expect(await Promise.all(answers)).toEqual(['a landed', 'b landed']);
  });

  test('that has landed is over: who comes then starts another', async () => {
    const { flights, calls, run } = tower();
    const first = run('a');
    expect(flights.has('a')).toBe(true);
    calls[0]?.resolve('first');
    await first;
    expect(flights.has('a')).toBe(false);

    const second = run('a');
    calls[1]?.resolve('second');
    expect(await second).toBe('second');
  });

  test('that fails fails for all of them, and is over', async () => {
    const { flights, calls, run } = tower();

    const answers = Promise.allSettled([run('a'), run('a')]);
    calls[0]?.reject(new Error('crashed'));

    const crashed = { status: 'rejected', reason: new Error('crashed') };
    expect(await answers).toEqual([crashed, crashed]);
    expect(flights.has('a')).toBe(false);
  });
});

describe('a detached flight', () => {
  test('goes on for those aboard, and nobody else boards it', async () => {
    const { flights, calls, run } = tower();

    const old = run('a');
    flights.detach('a');
    const young = run('a');
    calls[0]?.resolve('old');
    calls[1]?.resolve('young');

    expect(await Promise.all([old, young])).toEqual(['old', 'young']);
  });

  test('does not end the newer one when it lands', async () => {
    const { flights, calls, run } = tower();
    const old = run('a');
    flights.detach('a');
    const young = run('a');

    calls[0]?.resolve('old');
    await old;

    expect(flights.has('a')).toBe(true);
    const joined = run('a');
    calls[1]?.resolve('young');
    expect(await Promise.all([young, joined])).toEqual(['young', 'young']);
    expect(calls).toHaveLength(2);
  });

  test('may be none', () => {
    expect(() => tower().flights.detach('a')).not.toThrow();
  });
});

describe('a flight whose result is kept', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('serves those who come within that time after it landed', async () => {
    const { calls, run } = tower();
    const first = run('a', 1_000);
    await vi.advanceTimersByTimeAsync(5_000);
    calls[0]?.resolve('kept');
    await first;

    await vi.advanceTimersByTimeAsync(999);
    expect(await run('a')).toBe('kept');
    await vi.advanceTimersByTimeAsync(1);
    void run('a');
    expect(calls).toHaveLength(2);
  });

  test('serves nobody once it is detached, and ends no newer one', async () => {
    const { flights, calls, run } = tower();
    const first = run('a', 1_000);
    calls[0]?.resolve('kept');
    await first;

    flights.detach('a');
    void run('a');
    await vi.advanceTimersByTimeAsync(2_000);

    expect(calls).toHaveLength(2);
    expect(flights.has('a')).toBe(true);
  });
});
