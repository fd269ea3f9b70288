import { expect, test } from 'vitest';
import { type Cache, cached, cachedMethod, InvalidOptionError } from '../../src/index.ts';

const never = (): Cache => {
  throw new Error('not asked for');
};
const decorate = cached({ cache: never, name: 'item', ttl: '1m' });
const method = async (): Promise<number> => 1;

test.for<[string, unknown]>([
  ['a getter', { kind: 'getter', name: 'item' }],
  ['a class', { kind: 'class', name: 'Item' }],
  ["a method by TypeScript's older decorators", 'item'],
])('@cached refuses %s', ([, context]) => {
  expect(() => decorate(method, context as never)).toThrow(InvalidOptionError);
  expect(() => decorate(method, context as never)).toThrow(
    'decorates methods, as a standard decorator (without experimentalDecorators)',
  );
});

test('a method without @cached has no loader', () => {
  expect(() => cachedMethod(method)).toThrow('`method` (a function) must be a method with @cached');
});
