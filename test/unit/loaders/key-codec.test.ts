import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidKeyError } from '../../../src/core/errors.ts';
import { decodeKey, encodeKey } from '../../../src/loaders/key-codec.ts';

/** JSON data with the traps: −0, `__proto__`, index-like names, undefined properties. */
const jsonData = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('array'), tie('object')),
  leaf: fc.oneof(
    fc.constantFrom(null, true, false, -0, 1e21, 5e-324),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.string(),
  ),
  array: fc.array(tie('any'), { maxLength: 4 }),
  object: fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toJSON', 'constructor', '10', '9', '')),
    fc.oneof(tie('any'), fc.constant(undefined)),
    { maxKeys: 5, noNullPrototype: false },
  ),
})).any;

/** Text that often is JSON, or nearly so. */
const almostJson = fc.oneof(
  fc.json(),
  fc.string({ unit: fc.constantFrom(...'0123456789+-.eE"{}[]:, \t\n\rtruefalsn\\\u00a0') }),
  fc.constantFrom('true', 'null ', ' false', '-0', '1e999', '\n', '01', '.5', 'nulls', '\ufeff1'),
);

/** What comes back: −0 as 0, undefined properties gone. */
function normalised(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('key text', () => {
  test.each([
    ['abc', 'abc'],
    [42, '42'],
    ['42', '"42"'],
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [undefined, 'null'],
    [null, 'null'],
    ['null', '"null"'],
    ['', ''],
    [' ', ' '],
    [' 42', '" 42"'],
    ['"abc"', '"\\"abc\\""'],
    ['{"a":1}', '"{\\"a\\":1}"'],
    ['{a}', '{a}'],
    ['1e999', '"1e999"'],
    ['018f-uuid', '018f-uuid'],
    [-0, '0'],
    [true, 'true'],
    [1e21, '1e+21'],
    [[], '[]'],
    [{}, '{}'],
    [{ a: undefined }, '{}'],
    [
      { z: undefined, b: [1, 'x', null], a: { d: -0, c: '' } },
      '{"a":{"c":"","d":0},"b":[1,"x",null]}',
    ],
    [{ 9: 'nine', 10: 'ten', B: 1, a: 2 }, '{"10":"ten","9":"nine","B":1,"a":2}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
    [{ toJSON: 1 }, '{"toJSON":1}'],
    [{ '\uffff': 1, '\u{10000}': 2 }, '{"\u{10000}":2,"\uffff":1}'],
  ])('of %j is %s, and back', (params, text) => {
    expect(encodeKey(params)).toBe(text);
    expect(decodeKey(text)).toEqual(normalised(params));
  });

  test('gives back the params it was made from', () => {
    fc.assert(
      fc.property(jsonData, (params) => {
        const back = decodeKey(encodeKey(params));
        // Not toStrictEqual, which takes a property named constructor for a type.
        expect(isDeepStrictEqual(back, normalised(params))).toBe(true);
        expect(encodeKey(back)).toBe(encodeKey(params));
      }),
      { numRuns: 1_000 },
    );
  });

  test('gives back every string, quoted only where it could be read as JSON', () => {
    fc.assert(
      fc.property(fc.oneof(almostJson, fc.string({ unit: 'binary' })), (text) => {
        const key = encodeKey(text);
        expect(key).toBe(isJson(text) ? JSON.stringify(text) : text);
        expect(decodeKey(key)).toBe(text);
      }),
      { numRuns: 3_000 },
    );
  });

  test('differs for different params', () => {
    const anyParams = fc.oneof(jsonData, almostJson);
    fc.assert(
      fc.property(anyParams, anyParams, (a, b) => {
        const isSame =
          JSON.stringify(sorted(normalised(a))) === JSON.stringify(sorted(normalised(b)));
        expect(encodeKey(a) === encodeKey(b)).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  test('does not depend on the order of object keys', () => {
    const object = fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.integer()));
    const shuffled = object.chain((params) =>
      fc.tuple(
        fc.constant(params),
        fc.shuffledSubarray(Object.entries(params), { minLength: Object.keys(params).length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([params, entries]) => {
        const reordered = entries.map(([name, inner]) => [
          name,
          Object.fromEntries(Object.entries(inner).reverse()),
        ]);
        expect(encodeKey(Object.fromEntries(reordered))).toBe(encodeKey(params));
      }),
    );
  });

  test('may repeat an object that does not contain itself', () => {
    const shared = { a: 1 };
    expect(encodeKey([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });
});

/** A comparable form: entries by name, so that neither order nor `__proto__` matters. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return ['array', ...value.map(sorted)];
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, sorted(inner)] as const);
  return ['object', ...entries.sort(([a], [b]) => (a < b ? -1 : 1))];
}

describe('text that no params give is refused', () => {
  test.each([
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a": 1}',
    ' 42',
    '42 ',
    '42.0',
    '4e1',
    '-0',
    '1e999',
    '[1e999]',
    '"abc"',
    '"\\u0034\\u0032"',
    '"\\ud800"',
    '"\ud800"',
    '\ud800',
  ])('%j', (text) => {
    expect(() => decodeKey(text)).toThrow(InvalidKeyError);
  });

  test.each([
    ['nested deeply', `${'['.repeat(200)}${']'.repeat(200)}`],
    ['too long', 'x'.repeat(4_097)],
    ['too long and nested', '['.repeat(5_000)],
  ])('%s', (_, text) => {
    expect(() => decodeKey(text)).toThrow(InvalidKeyError);
  });

  test('or gives params that have exactly this text', () => {
    fc.assert(
      fc.property(fc.oneof(almostJson, fc.string({ unit: 'binary' })), (text) => {
        let params: unknown;
        try {
          params = decodeKey(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidKeyError);
          return;
        }
        expect(encodeKey(params)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test('saying what the canonical text is', () => {
    expect(() => decodeKey('[1, 2]')).toThrow('key text "[1, 2]" must be canonical: "[1,2]"');
  });
});
