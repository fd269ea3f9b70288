import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deepCopy } from '../../../src/read/deep-copy.ts';
import { decodeValue, encodeValue } from '../../../src/redis/codec.ts';

describe('deepCopy', () => {
  test('answers an equal value that shares nothing with the first', () => {
    const value = { list: [1, { n: 2 }], map: new Map([['k', { n: 3 }]]), set: new Set(['x']) };
    const copy = deepCopy(value);
    expect(copy).toEqual(value);
    copy.list.push(4);
    (copy.map.get('k') as { n: number }).n = 5;
    copy.set.add('y');
    expect(value).toEqual({
      list: [1, { n: 2 }],
      map: new Map([['k', { n: 3 }]]),
      set: new Set(['x']),
    });
  });

  test.for<[string, unknown]>([
    ['a Buffer', Buffer.from('abc')],
    ['a typed array', new Float32Array([1, 2])],
    ['a bigint array', new BigInt64Array([1n])],
    ['a DataView', new DataView(new ArrayBuffer(4))],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['a date', new Date(0)],
    ['a regular expression', /a/g],
    ['an error', new RangeError('too far')],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['an empty array', []],
  ])('keeps %s what it is', ([, value]) => {
    const copy = deepCopy(value);
    expect(copy).toStrictEqual(value);
    expect(copy).not.toBe(value);
    expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value));
  });

  test('copies of bytes only what belongs to them', () => {
    const all = Buffer.alloc(1_000_000, 'x');
    const copy = deepCopy(all.subarray(10, 20));
    expect(copy.toString()).toBe('x'.repeat(10));
    expect(copy.buffer.byteLength).toBe(10);
    all.fill('y');
    expect(copy.toString()).toBe('x'.repeat(10));
  });

  test('keeps a property named __proto__ a property', () => {
    const value = JSON.parse('{"__proto__":{"isAdmin":true}}');
    const copy = deepCopy(value);
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"isAdmin":true}}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy.isAdmin).toBeUndefined();
  });

  test.for<[string, unknown]>([
    ['a function', () => 1],
    ['a function deep inside', { a: [{ b: () => 1 }] }],
    ['an instance of a class', new (class Price {})()],
    ['an instance of a class that is an array', new (class List extends Array {})()],
    ['a promise', Promise.resolve(1)],
  ])('refuses %s', ([, value]) => {
    expect(() => deepCopy(value)).toThrow(TypeError);
  });

  test('copies every value that comes from Redis', () => {
    const values = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: false });
    fc.assert(
      fc.property(values, (given) => {
        const value = decodeValue(encodeValue(given));
        expect(deepCopy(value)).toStrictEqual(value);
      }),
    );
  });
});
