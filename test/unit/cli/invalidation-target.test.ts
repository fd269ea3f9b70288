import { expect, test } from 'vitest';
import { invalidationOf, type TargetFlags } from '../../../src/cli/invalidation-target.ts';

test.for<[args: string[], flags: TargetFlags, expected: object]>([
  [['product', 'a', 'b'], {}, { kind: 'keys', loader: 'product', keys: ['a', 'b'], soft: false }],
  [[], { tag: ['x', 'y'], soft: true }, { kind: 'tags', tags: ['x', 'y'], soft: true }],
  [
    ['product'],
    { pattern: 'eu:*' },
    { kind: 'pattern', loader: 'product', glob: 'eu:*', soft: false },
  ],
  [[], { loader: 'product' }, { kind: 'loader', loader: 'product', version: null, soft: false }],
])('%j with %j is one invalidation', ([[loader, ...keys], flags, expected]) => {
  expect(invalidationOf({ loader, keys }, flags)).toEqual(expected);
});

test.for<[args: string[], flags: TargetFlags, message: string]>([
  [[], {}, 'invalidate nothing: it takes LOADER KEY...'],
  [['product'], {}, 'invalidate "product" alone: it takes LOADER KEY...'],
  [['product', 'a'], { loader: 'price' }, '`invalidate` ("KEY --loader") must be one of them'],
  [[], { tag: ['x'], pattern: 'a*' }, '("--tag --pattern") must be one of them at a time'],
  [['product'], { tag: ['x'] }, '("product") is one argument too many: --tag is all'],
  [['product'], { loader: 'price' }, 'is one argument too many: --loader is all'],
  [[], { pattern: 'a*' }, '`--pattern` ("a*") needs the name of its loader'],
  [['product'], { pattern: '*' }, '`--pattern` ("*") matches every key: say so with --loader'],
  [['product', '{"b":1, "a":2}'], {}, 'must be canonical'],
  [[], { tag: [''] }, 'tags[0]'],
])('%j with %j is refused', ([[loader, ...keys], flags, message]) => {
  expect(() => invalidationOf({ loader, keys }, flags)).toThrow(message);
});
