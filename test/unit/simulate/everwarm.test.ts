import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/config/defaults.ts';
import { Everwarm } from '../../../src/simulate/everwarm.ts';
import type { MakePolicy } from '../../../src/simulate/policies.ts';
import { every, play } from '../../helpers/simulating.ts';

function everwarm(threshold = 8): MakePolicy {
  const settings = { ...DEFAULTS, ttlMs: 1_000, livesVary: false, threshold };
  return (values) => new Everwarm(values, ['0'], settings);
}

describe('everwarm', () => {
  test('refreshes a hot key before it expires: nobody waits after the first load', () => {
    const { answers, tally } = play(everwarm(), every(20, 20_000), { endMs: 20_000 });

    expect(answers.lastIndexOf('waited') * 20).toBeLessThan(100);
    expect(tally.wastedLives).toBe(0);
    // Each load replaces a value a lead and an early part before its end.
    expect(tally.loads).toBeGreaterThanOrEqual(20_000 / 1_100);
    expect(tally.loads).toBeLessThan(20_000 / 400);
  });

  test('refreshes nothing that is read less often than the threshold says', () => {
    const { tally } = play(everwarm(), every(1_500, 20_000), { endMs: 20_000 });

    expect(tally).toMatchObject({ waits: 14, loads: 14, refreshedLives: 0 });
  });

  test('gives a key up after a few lives that nobody read', () => {
    const reads = every(20, 10_000);
    const { tally } = play(everwarm(), reads, { endMs: 200_000 });

    expect(tally.wastedLives).toBeGreaterThan(0);
    expect(tally.wastedLives).toBeLessThan(6);
  });

  test('steps in for a key that is read late in its life', () => {
    // Loaded at 100; 900 ms later less is left than a load may take.
    const { answers, tally } = play(everwarm(1e6), [0, 500, 1_050, 1_160]);

    expect(answers).toEqual(['waited', 'fresh', 'fresh', 'fresh']);
    expect(tally).toMatchObject({ loads: 2, refreshedLives: 1, wastedLives: 0 });
    expect(play(everwarm(1e6), [0, 500, 700]).tally.loads).toBe(1);
  });

  test('does what is due in a gap between two reads, however long', () => {
    const afterAYear = 365 * 86_400_000;
    const { answers } = play(everwarm(), [...every(20, 5_000), afterAYear], { endMs: afterAYear });

    expect(answers.at(-1)).toBe('waited');
  });

  test('plays the same reads to the same end', () => {
    const reads = every(37, 9_000).filter((atMs) => atMs % 5 !== 0);

    expect(play(everwarm(), reads)).toEqual(play(everwarm(), reads));
  });
});
