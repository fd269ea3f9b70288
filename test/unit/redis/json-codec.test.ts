import { describe, expect, test } from 'vitest';
import { jsonCodec } from '../../../src/redis/json-codec.ts';

describe('JSON', () => {
  test.for([
    ['null', null],
    ['a number', -1.5],
    ['text with half a surrogate pair', 'a\ud800b'],
    ['false', false],
    ['a list', [1, null, 'x']],
    ['an object with a key __proto__', JSON.parse('{"__proto__":1}')],
  ] as const)('gives %s back', ([, value]) => {
    expect(jsonCodec.decode(jsonCodec.encode(value))).toEqual(value);
  });

  test('decodes a view of other bytes', () => {
    const bytes = new Uint8Array(Buffer.from('xx{"a":1}xx'));
    expect(jsonCodec.decode(bytes.subarray(2, -2))).toEqual({ a: 1 });
  });

  test.for([
    ['undefined', undefined],
    ['function', () => 1],
    ['symbol', Symbol('s')],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['Map', new Map()],
    ['Set', new Set()],
    ['RegExp', /a/],
    ['Error', new TypeError('lost')],
    ['Uint8Array', new Uint8Array(2)],
    ['Buffer', Buffer.alloc(2)],
    ['form of it', { toJSON: (): undefined => undefined }],
  ] as const)('refuses what it would lose as a whole: %s', ([name, value]) => {
    expect(() => jsonCodec.encode(value)).toThrow(
      `JSON has no ${name}: use msgpack or a codec of your own`,
    );
  });

  test('refuses a BigInt anywhere', () => {
    expect(() => jsonCodec.encode(1n)).toThrow('BigInt');
    expect(() => jsonCodec.encode({ deep: [1n] })).toThrow('BigInt');
  });
});

test('JSON loses types inside of a value as it always does', () => {
  const value = {
    date: new Date(0),
    map: new Map([[1, 2]]),
    missing: undefined,
    list: [undefined, Number.NaN],
    bytes: new Uint8Array([7]),
  };
  expect(jsonCodec.decode(jsonCodec.encode(value))).toEqual({
    date: '1970-01-01T00:00:00.000Z',
    map: {},
    list: [null, null],
    bytes: { 0: 7 },
  });
});
