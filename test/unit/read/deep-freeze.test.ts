import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deepFreeze } from '../../../src/read/deep-freeze.ts';
import { decodeValue, encodeValue } from '../../../src/redis/codec.ts';

function frozen<T>(value: T): T {
  deepFreeze(value);
  return value;
}

describe('deepFreeze', () => {
  test('makes every change of what it contains a TypeError', () => {
    const value = frozen({ a: [{ b: 1 }], c: { d: { e: 'f' } } });
    expect(() => {
      (value.a[0] as { b: number }).b = 2;
    }).toThrow(TypeError);
    expect(() => value.a.push({ b: 3 })).toThrow(TypeError);
    expect(() => {
      Reflect.set(value.c.d, 'e', 'g') || raise();
    }).toThrow(TypeError);
    expect(value).toEqual({ a: [{ b: 1 }], c: { d: { e: 'f' } } });
  });

  test('reaches what is in a Map and in a Set', () => {
    const inner = { n: 1 };
    const member = { n: 1 };
    frozen({ map: new Map([['k', inner]]), set: new Set([member]) });
    expect([inner, member].every(Object.isFrozen)).toBe(true);
  });

  test('reaches what is in a part that is frozen already', () => {
    const inner = { n: 1 };
    frozen({ outer: Object.freeze({ inner }) });
    expect(Object.isFrozen(inner)).toBe(true);
  });

  test('leaves bytes and dates usable', () => {
    const value = frozen({
      bytes: Buffer.from('abc'),
      floats: new Float64Array(2),
      at: new Date(0),
    });
    expect(value.bytes.toString()).toBe('abc');
    expect(value.at.getTime()).toBe(0);
    expect(value.floats).toHaveLength(2);
  });

  test('ends with what contains itself', () => {
    const value: Record<string, unknown> = {};
    value.self = value;
    expect(frozen(value).self).toBe(value);
  });

  test('goes as deep as a value does', () => {
    let value: unknown[] = [];
    const innermost = value;
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    deepFreeze(value);
    expect(Object.isFrozen(innermost)).toBe(true);
  });

  test('changes nothing of any value that comes from Redis', () => {
    fc.assert(
      fc.property(anyValue(), (given) => {
        const value = decodeValue(encodeValue(given));
        const before = decodeValue(encodeValue(given));
        expect(frozen(value)).toEqual(before);
      }),
    );
  });
});

function anyValue(): fc.Arbitrary<unknown> {
  return fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: false });
}

function raise(): never {
  throw new TypeError('it could not be set');
}
