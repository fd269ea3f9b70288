import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toArguments, toParams } from '../../../src/loaders/arguments.ts';
import { decodeKey, encodeKey } from '../../../src/loaders/key-codec.ts';

test.for<[string, readonly unknown[], string]>([
  ['no argument', [], 'null'],
  ['one', ['a'], 'a'],
  ['one object', [{ b: 1 }], '{"b":1}'],
  ['several', ['a', 1], '["a",1]'],
  ['one array', [['a', 1]], '[["a",1]]'],
  ['one empty array', [[]], '[[]]'],
  ['null', [null], '[null]'],
  ['undefined at the end', [1, undefined, undefined], '1'],
  ['nothing but undefined', [undefined], 'null'],
])('%s has a key text of its own', ([, args, text]) => {
  expect(encodeKey(toParams(args))).toBe(text);
});

test('undefined before another argument is refused, as it has no JSON', () => {
  expect(() => encodeKey(toParams([undefined, 1]))).toThrow(
    expect.objectContaining({ code: 'INVALID_KEY' }),
  );
});

test('the arguments come back from the key text, and other arguments have another one', () => {
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  fc.assert(
    fc.property(fc.array(json, { maxLength: 3 }), (args) => {
      expect(toArguments(decodeKey(encodeKey(toParams(args))))).toEqual(args);
    }),
  );
});
