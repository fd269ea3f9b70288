import { describe, expect, test } from 'vitest';
import { InvalidKeyError } from '../../../src/core/errors.ts';
import { decodeKey, encodeKey } from '../../../src/loaders/key-codec.ts';

function refusal(params: unknown): string {
  try {
    return `accepted as ${encodeKey(params)}`;
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidKeyError);
    return String((error as Error).message);
  }
}

class Money {
  readonly amount = 1;
}

function cyclic(): unknown {
  const params: Record<string, unknown> = {};
  params.self = { back: [params] };
  return params;
}

function holed(length: number): unknown[] {
  return new Array(length);
}

function nested(levels: number): unknown {
  let params: unknown = 1;
  for (let level = 0; level < levels; level++) params = [params];
  return params;
}

describe('params are refused with path, value and rule', () => {
  test.each<[string, unknown, string]>([
    ['NaN', Number.NaN, '`params` (NaN) must be a finite number'],
    ['Infinity', { a: [1, -Infinity] }, '`params.a[1]` (-Infinity) must be a finite number'],
    ['a BigInt', [10n], '`params[0]` (10) must be JSON data, not a bigint'],
    ['a symbol', { s: Symbol('x') }, '`params.s` (Symbol(x)) must be JSON data, not a symbol'],
    ['a function', () => 1, 'must be JSON data, not a function'],
    ['undefined in an array', [1, undefined], '`params[1]` (undefined) must not be undefined'],
    ['a hole', holed(2), '`params` (an array of 2) must be an array without holes'],
    [
      'a hole behind another property',
      Object.assign(holed(1), { x: 1 }),
      '`params[0]` (undefined) must not be a hole',
    ],
    ['billions of holes', holed(2 ** 32 - 1), '`params[0]` (undefined) must not be a hole'],
    ['an array with a property', Object.assign([1], { x: 1 }), 'without holes or other properties'],
    [
      'a Date',
      { since: new Date(0) },
      '`params.since` (an object of type Date) must be JSON data, not a class instance',
    ],
    ['a class instance', new Money(), 'an object of type Money) must be JSON data'],
    ['a Map', new Map(), 'an object of type Map) must be JSON data'],
    ['a Buffer', Buffer.from('x'), 'must be JSON data, not a class instance'],
    ['a boxed string', Object('x'), 'an object of type String) must be JSON data'],
    ['a boxed number', { n: Object(1) }, '`params.n` (an object of type Number)'],
    ['an array of a class', new (class List extends Array {})(), 'not a class instance'],
    ['an object with a parent', Object.create({ a: 1 }), 'not a class instance'],
    ['an own toJSON', { toJSON: () => 'x' }, 'params.toJSON'],
    [
      'a symbol key',
      { [Symbol('x')]: 1 },
      '`params` (an object of type Object) must not have symbol keys',
    ],
    [
      'a hidden property',
      Object.defineProperty({}, 'x', { value: 1 }),
      'must not have symbol keys or hidden',
    ],
    [
      'a cycle',
      cyclic(),
      '`params.self.back[0]` (an object of type Object) must not contain itself',
    ],
    ['a lone surrogate', '\ud800', '`params` ("\\ud800") must be well-formed UTF-16'],
    [
      'a lone surrogate inside',
      { 'a b': ['\udc00'] },
      '`params["a b"][0]` ("\\udc00") must be well-formed UTF-16',
    ],
    ['a lone surrogate as a name', { '\ud800': 1 }, 'must be well-formed UTF-16'],
    ['deep nesting', nested(101), 'must not be nested over 100 levels deep'],
    ['very deep nesting', nested(100_000), 'must not be nested over 100 levels deep'],
  ])('%s', (_, params, message) => {
    expect(refusal(params)).toContain(message);
  });

  test('a getter, without running it', () => {
    let ran = 0;
    const params = {
      get now() {
        ran += 1;
        return ran;
      },
    };
    expect(refusal(params)).toContain('`params.now` (undefined) must be a value, not a getter');
    expect(ran).toBe(0);
  });

  test('a long path in a short message', () => {
    const params = { ['x'.repeat(3_000)]: { ['y z'.repeat(300)]: [Number.NaN] } };
    expect(refusal(params).length).toBeLessThan(400);
  });
});

describe('key text is at most 4 KiB of UTF-8', () => {
  test.each<[string, unknown, unknown]>([
    ['a string', 'x'.repeat(4_096), 'x'.repeat(4_097)],
    ['a string of two-byte characters', 'é'.repeat(2_048), 'é'.repeat(2_049)],
    ['a string of four-byte characters', '😀'.repeat(1_024), '😀'.repeat(1_025)],
    ['a string that is quoted', `"${'x'.repeat(4_090)}"`, `"${'x'.repeat(4_091)}"`],
    ['an array', Array(2_047).fill(1), Array(2_048).fill(1)],
    ['a string in an array', ['€'.repeat(1_364)], ['€'.repeat(1_365)]],
    ['a property name', { ['x'.repeat(4_090)]: 1 }, { ['x'.repeat(4_091)]: 1 }],
  ])('%s', (_, fits, tooLong) => {
    const text = encodeKey(fits);
    expect(Buffer.byteLength(text)).toBeGreaterThan(4_090);
    expect(decodeKey(text)).toEqual(fits);
    expect(refusal(tooLong)).toContain('must be at most 4096 bytes of UTF-8');
  });

  test('and is given up early, however large the params are', () => {
    let doubling: unknown = [1];
    for (let level = 0; level < 60; level++) doubling = [doubling, doubling];
    expect(refusal(doubling)).toContain('must be at most 4096 bytes of UTF-8');
    expect(refusal(Array(1_000_000).fill(0))).toContain('must be at most 4096 bytes');
    expect(refusal(['x'.repeat(100_000_000)])).toContain('must be at most 4096 bytes');
  });
});
