import { describe, expect, test } from 'vitest';
import {
  expectedKeys,
  type HotKeys,
  keysTaking,
  learnScores,
  type Scores,
  scoresOf,
} from '../../../src/policy/expected-keys.ts';

const names = (start: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${start}-${at}`);

const ranked = (keys: readonly string[]): HotKeys => ({ keys, reads: null });

/** What is learned of so many hours of the same kind. */
function learned(
  hours: number,
  told: Parameters<typeof learnScores>[1],
  actual: readonly string[],
): Scores {
  let scores = scoresOf({});
  for (let hour = 0; hour < hours; hour++) scores = learnScores(scores, told, actual);
  return scores;
}

describe('scores', () => {
  test('move to who foretells, and stay between 0 and 1', () => {
    const actual = names('hot', 200);
    const told = { yesterday: actual, lastWeek: names('other', 200), now: actual.slice(0, 50) };
    const { yesterday, lastWeek, now } = learned(500, told, actual);
    expect(yesterday).toBeCloseTo(1);
    expect(yesterday).toBeLessThanOrEqual(1);
    expect(lastWeek).toBeCloseTo(0);
    expect(lastWeek).toBeGreaterThanOrEqual(0);
    expect(now).toBeCloseTo(0.25);
  });

  test('are half way after about a day, and hardly moved by one hour', () => {
    const actual = ['a'];
    const told = { yesterday: actual };
    expect(learned(1, told, actual).yesterday).toBeCloseTo(0.515);
    expect(learned(23, told, actual).yesterday).toBeCloseTo(0.75, 1);
  });

  test('of who had nothing to tell stay as they are, as all do of an hour without keys', () => {
    const { lastWeek, now } = learned(100, { yesterday: ['a'], now: [] }, ['a']);
    expect([lastWeek, now]).toEqual([0.5, 0.5]);
    expect(learned(100, { yesterday: ['a'] }, [])).toEqual(scoresOf({}));
  });

  test('are judged by as many keys as the hour had', () => {
    const told = { yesterday: ['x', 'y', 'a', 'b'], now: ['a', 'z'] };
    const { yesterday, now } = learned(1_000, told, ['a', 'b']);
    expect(yesterday).toBeCloseTo(0);
    expect(now).toBeCloseTo(0.5);
  });

  test('are never NaN, whatever was kept', () => {
    expect(scoresOf({ yesterday: 'nonsense', lastWeek: '-3', now: '7' })).toEqual({
      yesterday: 0.5,
      lastWeek: 0,
      now: 1,
    });
    expect(scoresOf({ yesterday: Number.NaN, lastWeek: undefined, now: '0.25' })).toEqual({
      yesterday: 0.5,
      lastWeek: 0.5,
      now: 0.25,
    });
  });
});

describe('expected keys', () => {
  const equal = scoresOf({});

  test('are mostly those of who has foretold best', () => {
    const told = { yesterday: ranked(names('yesterday', 100)), now: ranked(names('now', 100)) };
    const from = (scores: Scores): number =>
      expectedKeys(scores, told, 100).filter((key) => key.startsWith('yesterday')).length;
    expect(from(equal)).toBe(50);
    expect(from({ ...equal, yesterday: 0.9, now: 0.1 })).toBeGreaterThan(95);
    expect(from({ ...equal, yesterday: 0.1, now: 0.9 })).toBeLessThan(5);
  });

  test('that all tell come before those that one tells', () => {
    const told = {
      yesterday: ranked(['one', 'all']),
      lastWeek: ranked(['two', 'all']),
      now: ranked(['three', 'all']),
    };
    expect(expectedKeys(equal, told, 1)).toEqual(['all']);
    expect(expectedKeys(equal, told, 10)).toHaveLength(4);
  });

  test('of a missing source are none, and without any source there are none', () => {
    expect(expectedKeys(equal, { now: ranked(['a', 'b']) }, 10)).toEqual(['a', 'b']);
    expect(expectedKeys(equal, { yesterday: ranked([]), now: ranked(['a']) }, 10)).toEqual(['a']);
    expect(expectedKeys(equal, {}, 10)).toEqual([]);
  });

  test('go by reads where they are known, and by rank where not or where they are nonsense', () => {
    const even = { keys: ['a', 'b'], reads: [1, 1] };
    const steep = { keys: ['c', 'd'], reads: [99, 1] };
    expect(expectedKeys(equal, { yesterday: even, now: steep }, 4)).toEqual(['c', 'a', 'b', 'd']);
    const half = { keys: ['a', 'b'], reads: [Number.NaN, 1] };
    expect(expectedKeys(equal, { now: half }, 4)).toEqual(['b', 'a']);
    for (const reads of [[Number.NaN, Number.NaN], [0, 0], [-1, -1], []]) {
      const told = { now: { keys: ['a', 'b'], reads }, yesterday: ranked(['c', 'd']) };
      expect(expectedKeys(equal, told, 4)).toEqual(['c', 'a', 'd', 'b']);
    }
  });
});

test('so many of the hottest keys take most of the reads', () => {
  const reads = [50, 30, 10, 5, 5];
  expect(keysTaking(0.8, { keys: names('k', 5), reads })).toBe(2);
  expect(keysTaking(0.9, { keys: names('k', 5), reads })).toBe(3);
  expect(keysTaking(1, { keys: names('k', 5), reads })).toBe(5);
  expect(keysTaking(0.8, { keys: [], reads: [] })).toBe(0);
  expect(keysTaking(0.8, ranked(['a']))).toBeNull();
});
