import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/core/errors.ts';
import { resolveTimes, type TimeOptions, ttlOfValue } from '../../../src/loaders/times.ts';
import { usability } from '../../../src/policy/freshness.ts';

const at = (field: string): string => field;
const timesOf = (more: Partial<TimeOptions> = {}) => resolveTimes({ ttl: '1m', ...more }, at);

function refusal(more: Record<string, unknown>): string {
  try {
    timesOf(more as Partial<TimeOptions>);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('staleness', () => {
  test('is by default a ttl on error, and none else', () => {
    expect(timesOf()).toMatchObject({
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 60_000,
      keptStaleMs: 60_000,
    });
  });

  test('is as long as the longer of the two', () => {
    expect(timesOf({ staleWhileRevalidate: '5m' })).toMatchObject({ keptStaleMs: 300_000 });
    expect(timesOf({ staleWhileRevalidate: '1s', staleIfError: 0 })).toMatchObject({
      keptStaleMs: 1_000,
    });
  });

  test('is bound by maxStaleness, the default too', () => {
    expect(timesOf({ maxStaleness: '10s' })).toMatchObject({ staleIfErrorMs: 10_000 });
    expect(timesOf({ maxStaleness: '10s', staleWhileRevalidate: '10s' })).toMatchObject({
      keptStaleMs: 10_000,
    });
    expect(timesOf({ maxStaleness: 0 })).toMatchObject({ keptStaleMs: 0 });
  });

  test('of no accepted definition lets a value be served past maxStaleness, whatever its life', () => {
    const spanMs = fc.option(fc.nat(1e6), { nil: undefined });
    const any = fc.record({
      ttl: fc.integer({ min: 100, max: 1e6 }),
      staleWhileRevalidate: spanMs,
      staleIfError: spanMs,
      maxStaleness: spanMs,
      invalidated: fc.boolean(),
      afterMs: fc.nat(3e6),
    });
    fc.assert(
      fc.property(any, ({ invalidated, afterMs, ...given }) => {
        const { staleWhileRevalidate = 0, staleIfError = 0, maxStaleness = Infinity } = given;
        const isContradictory = Math.max(staleWhileRevalidate, staleIfError) > maxStaleness;
        expect(refusal(given) !== 'accepted').toBe(isContradictory);
        if (isContradictory) return;
        const use = usability(
          { expiresAtMs: 1_000, invalidated },
          timesOf(given as Partial<TimeOptions>),
          1_000 + afterMs,
        );
        if (use !== 'none') expect(afterMs).toBeLessThan(maxStaleness);
      }),
    );
  });
});

describe('times are refused', () => {
  const duration =
    "must be a duration: milliseconds as a number, or text like '250ms', '30s', '5m', '2h', '1d'";

  test.each<[string, Record<string, unknown>, string]>([
    [
      'that are negative',
      { staleWhileRevalidate: -1 },
      `\`staleWhileRevalidate\` (-1) ${duration}`,
    ],
    ['that are negative', { staleIfError: -1 }, `\`staleIfError\` (-1) ${duration}`],
    ['that are negative', { maxStaleness: -1 }, `\`maxStaleness\` (-1) ${duration}`],
    ['that are NaN', { maxStaleness: Number.NaN }, `\`maxStaleness\` (NaN) ${duration}`],
    ['that are no durations', { notFoundTtl: '1 s' }, `\`notFoundTtl\` ("1 s") ${duration}`],
    ['that are null', { notFoundTtl: null }, `\`notFoundTtl\` (null) ${duration}`],
    [
      'where staleIfError is over maxStaleness',
      { staleIfError: '2m', maxStaleness: '1m' },
      '`staleIfError` ("2m") must be at most maxStaleness (60000 ms)',
    ],
    [
      'where staleWhileRevalidate is over maxStaleness',
      { staleWhileRevalidate: '2m', maxStaleness: '1m' },
      '`staleWhileRevalidate` ("2m") must be at most maxStaleness (60000 ms)',
    ],
    [
      'with a notFoundTtl under 100 ms',
      { notFoundTtl: 99 },
      '`notFoundTtl` (99) must be at least 100 ms',
    ],
    [
      'with a soft timeout that is no sooner than the hard one',
      { loadTimeout: { soft: '2s', hard: '2s' } },
      '`loadTimeout.soft` ("2s") must be less than the hard one (2000 ms)',
    ],
    [
      'with a soft timeout over the default of the hard one',
      { loadTimeout: { soft: '30s' } },
      '`loadTimeout.soft` ("30s") must be less than the hard one (30000 ms)',
    ],
    [
      'with a soft timeout that is negative',
      { loadTimeout: { soft: -5 } },
      `\`loadTimeout.soft\` (-5) ${duration}`,
    ],
    [
      'with a soft timeout and nothing stale to answer with',
      { loadTimeout: { soft: 50 }, staleIfError: 0 },
      '`loadTimeout.soft` (50) needs a stale value to answer with, and staleIfError and staleWhileRevalidate are 0',
    ],
    [
      'with a hard timeout of 0',
      { loadTimeout: { hard: 0 } },
      '`loadTimeout.hard` (0) must be at least 1 ms',
    ],
    [
      'with a loadTimeout that is null',
      { loadTimeout: null },
      `\`loadTimeout\` (null) ${duration}`,
    ],
    [
      'with a ttl function and no nominalTtl',
      { ttl: () => 1 },
      '`nominalTtl` (undefined) is needed where `ttl` is a function: the usual ttl, by which heat is measured',
    ],
    [
      'with a nominalTtl and no ttl function',
      { nominalTtl: '1m' },
      '`nominalTtl` ("1m") is for a `ttl` that is a function',
    ],
    [
      'with a nominalTtl under 100 ms',
      { ttl: () => 1, nominalTtl: 99 },
      '`nominalTtl` (99) must be at least 100 ms',
    ],
  ])('%s: %o', (_, broken, message) => {
    expect(refusal(broken)).toBe(message);
  });
});

describe('the ttl of a value', () => {
  const answering = (answer: unknown) => ({
    name: 'item',
    ttlMs: 60_000,
    ttlOf: () => answer as 1,
  });
  const ttlMs = (answer: unknown): number => ttlOfValue(answering(answer), 'value', 'a');

  test('is what the function makes of value and params', () => {
    const ttlOf = (value: { seconds: number }, params: string) =>
      value.seconds * (params === 'a' ? 1_000 : 0);
    const loader = { name: 'item', ttlMs: 60_000, ttlOf };
    expect(ttlOfValue(loader as never, { seconds: 5 }, 'a')).toBe(5_000);
    expect(ttlMs('2h')).toBe(7_200_000);
    expect(ttlOfValue({ name: 'item', ttlMs: 60_000, ttlOf: null }, 'value', 'a')).toBe(60_000);
  });

  test('is at least 100 ms and at most 100 years', () => {
    expect(ttlMs(0)).toBe(100);
    expect(ttlMs('99999d')).toBe(36_500 * 86_400_000);
  });

  test.each([-1, Number.NaN, Infinity, '5 min', null, undefined, Promise.resolve(1)])(
    'is refused where it is %o',
    (answer) => {
      expect(() => ttlMs(answer)).toThrow(
        /^`loader "item": ttl\(value, params\)` \(.*\) must be a/,
      );
    },
  );
});
