import { describe, expect, test } from 'vitest';
import { type Duration, parseDuration } from '../../../src/core/duration.ts';
import { InvalidOptionError } from '../../../src/core/errors.ts';

describe('a duration', () => {
  test.for([
    [0, 0],
    [250, 250],
    [0.5, 0.5],
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
    ['365d', 31_536_000_000],
  ] as const)('%j is %d ms', ([duration, ms]) => {
    expect(parseDuration(duration, 'ttl')).toBe(ms);
  });

  test.for([
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '5',
    '5 s',
    's',
    '-5s',
    '5S',
    '5sec',
    '1e3ms',
    '.5s',
    '5.s',
    '5s ',
    ' 5s',
    '5s5',
    '0x10ms',
    '9'.repeat(400),
    `${'9'.repeat(400)}d`,
    null,
    true,
    {},
    [5],
    new Date(5),
  ])('is not %j', (duration) => {
    expect(() => parseDuration(duration as Duration, 'ttl')).toThrow(InvalidOptionError);
  });

  test('that is none is refused with its path, its value and what it may be', () => {
    expect(() => parseDuration('soon' as Duration, 'loader "price": ttl')).toThrow(
      new InvalidOptionError(
        'loader "price": ttl',
        'soon',
        "must be a duration: milliseconds as a number, or text like '250ms', '30s', '5m', '2h', '1d'",
      ),
    );
    expect(() => parseDuration(-1, 'readTimeout')).toThrow(/^`readTimeout` \(-1\) must be/);
  });
});
