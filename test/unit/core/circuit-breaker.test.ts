import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CircuitBreaker } from '../../../src/core/circuit-breaker.ts';

/** A breaker that five failures have opened at this instant. */
function openedAt(nowMs: number): CircuitBreaker {
  const breaker = new CircuitBreaker();
  for (let failure = 0; failure < 5; failure++) breaker.failed(nowMs, nowMs);
  return breaker;
}

describe('a closed breaker', () => {
  test('lets every call through, and opens after five failures in a row', () => {
    const breaker = new CircuitBreaker();
    for (let failure = 0; failure < 4; failure++) breaker.failed(0, 0);
    expect(breaker.mayCall(0)).toBe(true);

    breaker.failed(0, 0);

    expect(breaker.isClosed).toBe(false);
    expect(breaker.mayCall(0)).toBe(false);
  });

  test('counts from the start after a success', () => {
    const breaker = new CircuitBreaker();
    for (let failure = 0; failure < 20; failure++) {
      breaker.failed(0, 0);
      if (failure % 4 === 3) breaker.succeeded();
    }

    expect(breaker.isClosed).toBe(true);
  });
});

describe('an open breaker', () => {
  test('lets one call through once its pause of 200 ms is over: the probe', () => {
    const breaker = openedAt(0);

    expect(breaker.mayCall(199)).toBe(false);
    expect(breaker.mayCall(200)).toBe(true);
    expect([breaker.mayCall(200), breaker.mayCall(60_000)]).toEqual([false, false]);
  });

  test('closes when the probe succeeds, and begins again with the shortest pause', () => {
    const breaker = openedAt(0);
    breaker.mayCall(200);
    breaker.failed(200, 450);
    breaker.mayCall(1_000);
    breaker.succeeded();
    expect(breaker.isClosed).toBe(true);

    for (let failure = 0; failure < 5; failure++) breaker.failed(2_000, 2_000);
    expect([breaker.mayCall(2_199), breaker.mayCall(2_200)]).toEqual([false, true]);
  });

  test('doubles its pause with each failed probe, up to 2 s', () => {
    const breaker = openedAt(0);
    const pauses: number[] = [];
    let nowMs = 0;
    for (let probe = 0; probe < 7; probe++) {
      const openMs = nowMs;
      while (!breaker.mayCall(nowMs)) nowMs++;
      pauses.push(nowMs - openMs);
      breaker.failed(nowMs, nowMs);
    }

    expect(pauses).toEqual([200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  });

  test('learns nothing from the failures of calls that were sent before it opened', () => {
    const breaker = openedAt(100);
    expect(breaker.failed(50, 250)).toBe(false);
    expect(breaker.mayCall(300)).toBe(true);
    expect(breaker.failed(99, 310)).toBe(false);

    // The probe is still under way, its failure counts.
    expect(breaker.mayCall(310)).toBe(false);
    expect(breaker.failed(300, 550)).toBe(true);
    expect([breaker.mayCall(949), breaker.mayCall(950)]).toEqual([false, true]);
  });

  test('closes by a late success of such a call', () => {
    const breaker = openedAt(0);
    breaker.succeeded();
    expect(breaker.isClosed).toBe(true);
  });

  test('probes at once when there is a reason to', () => {
    const breaker = openedAt(0);
    breaker.probeSoon();
    expect([breaker.mayCall(1), breaker.mayCall(1)]).toEqual([true, false]);
  });
});

type Ending = 'well' | 'badly' | 'later';

/** Calls that come when they like and end as they like, held against what a breaker must always keep to. */
class Walk {
  readonly #breaker = new CircuitBreaker();
  #nowMs = 0;
  #openSinceMs = 0;
  #probeSentAtMs: number | null = null;

  step(afterMs: number, ending: Ending): void {
    this.#nowMs += afterMs;
    if (this.#probeSentAtMs !== null) this.#endProbe(this.#probeSentAtMs, ending);
    if (this.#breaker.isClosed) this.#call(ending);
    else this.#ask();
  }

  #endProbe(sentAtMs: number, ending: Ending): void {
    if (ending === 'later') return;
    this.#probeSentAtMs = null;
    this.#openSinceMs = this.#nowMs;
    if (ending === 'well') this.#breaker.succeeded();
    else this.#breaker.failed(sentAtMs, this.#nowMs);
    expect(this.#breaker.isClosed).toBe(ending === 'well');
  }

  #call(ending: Ending): void {
    expect(this.#probeSentAtMs).toBeNull();
    expect(this.#breaker.mayCall(this.#nowMs)).toBe(true);
    if (ending === 'badly') this.#breaker.failed(this.#nowMs, this.#nowMs);
    if (!this.#breaker.isClosed) this.#openSinceMs = this.#nowMs;
  }

  #ask(): void {
    const mayCall = this.#breaker.mayCall(this.#nowMs);
    if (this.#probeSentAtMs !== null) expect(mayCall).toBe(false);
    else if (mayCall) this.#probeSentAtMs = this.#nowMs;
    else expect(this.#nowMs - this.#openSinceMs).toBeLessThan(2_000);
  }
}

test('whatever happens: one probe at a time while it is not closed, and never 2 s without one', () => {
  const step = fc.tuple(
    fc.integer({ min: 0, max: 900 }),
    fc.constantFrom<Ending[]>('badly', 'badly', 'badly', 'later', 'well'),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const walk = new Walk();
      for (const [afterMs, ending] of steps) walk.step(afterMs, ending);
    }),
  );
});
