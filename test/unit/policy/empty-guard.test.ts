import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EmptyGuardSettings } from '../../../src/core/empty-guard-settings.ts';
import { type GuardedAnswer, LateAnswers } from '../../../src/policy/empty-guard.ts';

const usual: EmptyGuardSettings = { share: 0.5, atLeast: 10 };

/** For each answer in turn, whether it is believed: an empty one only while they are not suspicious. */
function believed(
  settings: EmptyGuardSettings,
  answers: readonly GuardedAnswer[],
): readonly boolean[] {
  const late = new LateAnswers(settings);
  return answers.map((answer) => {
    late.add(answer);
    return answer === 'value' || !late.isSuspicious;
  });
}

/** How many empty answers are believed: values that are lost. */
function lost(settings: EmptyGuardSettings, answers: readonly GuardedAnswer[]): number {
  const isBelieved = believed(settings, answers);
  return answers.filter((answer, at) => answer === 'empty' && isBelieved[at]).length;
}

function times(count: number, answer: GuardedAnswer): GuardedAnswer[] {
  return Array<GuardedAnswer>(count).fill(answer);
}

describe('a loader that finds nothing any more', () => {
  test('costs fewer values than `atLeast` from its first answer on', () => {
    expect(lost(usual, times(200, 'empty'))).toBe(9);
  });

  test('costs no more however often it was right before', () => {
    expect(lost(usual, [...times(100_000, 'value'), ...times(200, 'empty')])).toBe(9);
  });

  test('costs at most `atLeast`, whatever the settings and the answers before', () => {
    const settings = fc.record({
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      atLeast: fc.integer({ min: 1, max: 100 }),
    });
    const before = fc.array(fc.constantFrom<GuardedAnswer>('value', 'empty'), { maxLength: 400 });
    fc.assert(
      fc.property(settings, before, (given, answers) => {
        const outage = times(300, 'empty');
        const all = lost(given, [...answers, ...outage]);
        expect(all - lost(given, answers)).toBeLessThanOrEqual(given.atLeast);
      }),
    );
  });

  test('is believed again once most of its answers have values', () => {
    const late = new LateAnswers(usual);
    for (const answer of times(200, 'empty')) late.add(answer);
    expect(late.isSuspicious).toBe(true);
    for (const answer of times(11, 'value')) late.add(answer);
    expect(late.isSuspicious).toBe(false);
    late.add('empty');
    expect(late.isSuspicious).toBe(false);
  });
});

describe('a loader that is right', () => {
  test('may find nothing for single keys, one in three for ever', () => {
    const answers = Array.from({ length: 10_000 }, (_, at) => (at % 3 === 0 ? 'empty' : 'value'));
    expect(believed(usual, answers as GuardedAnswer[])).not.toContain(false);
  });

  test('may find nothing for fewer than `atLeast` keys, even at first', () => {
    expect(believed(usual, times(9, 'empty'))).not.toContain(false);
  });
});

describe('the share', () => {
  test('of 1 takes nothing but empty answers for a failure', () => {
    const one = { share: 1, atLeast: 10 };
    expect(lost(one, times(50, 'empty'))).toBe(9);
    const mixed = Array.from({ length: 500 }, (_, at) => (at % 10 === 0 ? 'value' : 'empty'));
    expect(believed(one, mixed as GuardedAnswer[])).not.toContain(false);
  });

  test('of late answers is told; none is 0', () => {
    const late = new LateAnswers(usual);
    expect(late.emptyShare).toBe(0);
    for (const answer of ['value', 'empty', 'empty', 'value'] as const) late.add(answer);
    expect(late.emptyShare).toBe(0.5);
    for (const answer of times(18, 'empty')) late.add(answer);
    expect(late.emptyShare).toBe(0.95); // Of the last 20.
  });
});
