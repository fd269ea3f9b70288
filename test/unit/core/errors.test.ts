import { describe, expect, test } from 'vitest';
import {
  EverwarmError,
  InvalidKeyError,
  InvalidOptionError,
  LoaderError,
  messageOf,
  printValue,
} from '../../../src/core/errors.ts';

describe('an error of Everwarm', () => {
  test('carries its code, its cause and the name of its class', () => {
    const cause = new Error('refused');
    const error = new EverwarmError('REDIS_UNAVAILABLE', 'no Redis', { cause });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'EverwarmError', code: 'REDIS_UNAVAILABLE', cause });
    expect(String(error)).toBe('EverwarmError: no Redis');
    expect(error.stack).toContain('errors.test.ts');
  });

  test.for([
    [new InvalidOptionError('ttl', 5, 'must be more'), 'InvalidOptionError', 'INVALID_OPTION'],
    [new InvalidKeyError('not JSON'), 'InvalidKeyError', 'INVALID_KEY'],
    [new LoaderError('LOADER_FAILED', 'failed'), 'LoaderError', 'LOADER_FAILED'],
  ] as const)('is told apart by class, name and code: $1', ([error, name, code]) => {
    expect(error).toBeInstanceOf(EverwarmError);
    expect(error).toMatchObject({ name, code });
  });

  test('for an option says path, value and rule', () => {
    const error = new InvalidOptionError('scheduler.tickInterval', 7, 'must be at least 50 ms');
    expect(error.message).toBe('`scheduler.tickInterval` (7) must be at least 50 ms');
  });
});

describe('a value in a message', () => {
  test.for([
    ['text', '"text"'],
    ['two\nlines', '"two\\nlines"'],
    ['', '""'],
    [-0.5, '-0.5'],
    [Number.NaN, 'NaN'],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [12n, '12'],
    [Symbol('tag'), 'Symbol(tag)'],
    [() => 'source text', 'a function'],
    [[1, 2, 3], 'an array of 3'],
    [{ password: 'secret' }, 'an object of type Object'],
    [new Map(), 'an object of type Map'],
    [Object.create(null), 'an object of type null prototype'],
  ] as const)('%# is short and on one line', ([value, printed]) => {
    expect(printValue(value)).toBe(printed);
  });

  test('is cut at 80 characters', () => {
    expect(printValue('x'.repeat(500))).toBe(`"${'x'.repeat(76)}...`);
    expect(printValue(10n ** 500n)).toBe(`1${'0'.repeat(76)}...`);
  });
});

test('whatever was thrown has a message', () => {
  expect(messageOf(new TypeError('no'))).toBe('no');
  expect(messageOf('text')).toBe('text');
  expect(messageOf(undefined)).toBe('undefined');
});
