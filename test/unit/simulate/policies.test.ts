import { describe, expect, test } from 'vitest';
import { afterShare, never, OnRead, perReadXfetch } from '../../../src/simulate/on-read.ts';
import { Oracle } from '../../../src/simulate/oracle.ts';
import { Timers } from '../../../src/simulate/timers.ts';
import { every, play } from '../../helpers/simulating.ts';

const WAITED = 'waited';
const FRESH = 'fresh';
const STALE = 'stale';

describe('plain', () => {
  test('lets the first reader load, and who comes meanwhile wait; a value lives for its ttl', () => {
    const { answers, tally } = play(
      (values) => new OnRead(values, never),
      [0, 99, 100, 1_099, 1_100],
    );

    expect(answers).toEqual([WAITED, WAITED, FRESH, FRESH, WAITED]);
    expect(tally).toMatchObject({ reads: 5, waits: 3, loads: 2, refreshedLives: 0 });
  });
});

describe('staleWhileRevalidate', () => {
  const policy = (reads: readonly number[]) =>
    play((values) => new OnRead(values, never, 1), reads);

  test('answers with the expired value for one ttl more, while one load is under way', () => {
    const { answers, tally } = policy([0, 1_200, 1_250, 1_300, 3_299, 5_399]);

    expect(answers).toEqual([WAITED, STALE, STALE, FRESH, STALE, WAITED]);
    expect(tally).toMatchObject({ loads: 4, staleReads: 3, waits: 2 });
  });

  test('counts as waste what a stale read had loaded and nobody read', () => {
    expect(policy([0, 1_200]).tally).toMatchObject({ refreshedLives: 1, wastedLives: 1 });
  });
});

describe('refresh on the first read after a share of the ttl', () => {
  const at80 = (reads: readonly number[]) =>
    play((values) => new OnRead(values, afterShare(0.8)), reads);

  test('is begun by no earlier read, and only once', () => {
    // The first life is 100 to 1,100, the second 1,000 to 2,000, the third 1,950 to 2,950.
    const { answers, tally } = at80([0, 899, 900, 901, 1_099, 1_150, 1_850, 2_050]);

    expect(answers).toEqual([WAITED, FRESH, FRESH, FRESH, FRESH, FRESH, FRESH, FRESH]);
    expect(tally).toMatchObject({ loads: 3, refreshedLives: 2, wastedLives: 0 });
    expect(at80([0, 899]).tally.loads).toBe(1);
  });

  test('lets readers wait for one that was begun too late', () => {
    const { answers, tally } = at80([0, 1_090, 1_150, 1_190]);

    expect(answers).toEqual([WAITED, FRESH, WAITED, FRESH]);
    expect(tally.loads).toBe(2);
  });
});

describe('XFetch at every read', () => {
  test('refreshes if −δβ·ln(rand) reaches over the expiry', () => {
    const half = 100 * Math.LN2;
    const read = { ttlMs: 1_000, loadMs: 100 };
    const rule = perReadXfetch(1, () => 0.5);

    expect(rule({ ...read, leftMs: half })).toBe(true);
    expect(rule({ ...read, leftMs: half + 0.1 })).toBe(false);
    expect(perReadXfetch(2, () => 0.5)({ ...read, leftMs: 2 * half })).toBe(true);
  });
});

describe('a timer per key', () => {
  test('lands each value as the one before expires, until nobody has read for two ttl', () => {
    // Loads at 0, 1,000 and 2,000; at 3,000 nobody has read for too long. The same after 3,100.
    const { answers, tally } = play((values) => new Timers(values), [0, 500, 3_099, 3_100]);
    expect(answers).toEqual([WAITED, FRESH, FRESH, WAITED]);
    expect(tally).toMatchObject({ loads: 6, refreshedLives: 4, wastedLives: 3 });
  });

  test('gives a key up that is read once', () => {
    expect(play((values) => new Timers(values), [0]).tally).toMatchObject({
      loads: 3,
      refreshedLives: 2,
      wastedLives: 2,
    });
  });

  test('loads once per ttl, and lets only the first reader wait', () => {
    const { tally } = play((values) => new Timers(values), every(100, 10_001), { endMs: 10_050 });

    expect(tally).toMatchObject({ waits: 1, loads: 11 });
  });
});

describe('the oracle', () => {
  const oracle = (reads: readonly number[]) => play((values) => new Oracle(values), reads);

  test('has refreshed what is read within a ttl of its expiry', () => {
    const { answers, tally } = oracle([0, 1_100, 2_099, 3_000]);

    expect(answers).toEqual([WAITED, FRESH, FRESH, FRESH]);
    expect(tally).toMatchObject({ loads: 3, refreshedLives: 2, wastedLives: 0 });
  });

  test('leaves alone what is not', () => {
    expect(oracle([0, 2_100])).toMatchObject({ answers: [WAITED, WAITED], tally: { loads: 2 } });
  });
});
