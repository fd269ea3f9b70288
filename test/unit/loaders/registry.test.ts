import { describe, expect, test } from 'vitest';
import { InvalidOptionError } from '../../../src/core/errors.ts';
import { type AnyLoader, defineLoader } from '../../../src/loaders/define-loader.ts';
import { isLoader, LoaderRegistry } from '../../../src/loaders/registry.ts';

function named(name: string): AnyLoader {
  return defineLoader({ name, ttl: '1m', load: async () => 1 });
}

const isFunction = (): number => 1;

describe('the loaders of a process', () => {
  test('are all there, in order', () => {
    const loaders = [named('b'), named('a')];
    expect([...new LoaderRegistry(loaders)]).toEqual(loaders);
  });

  test.for<[unknown, string]>([
    [[], '`loaders` (an array of 0) must be an array of at least one loader'],
    [undefined, '`loaders` (undefined) must be an array of at least one loader'],
    [named('a'), '`loaders` (an object of type Object) must be an array of at least one loader'],
    [[named('a'), isFunction], '`loaders[1]` (a function) must come from defineLoader()'],
    [[null], '`loaders[0]` (null) must come from defineLoader()'],
    [
      [{ name: 'a', ttl: '1m', load: isFunction }],
      '`loaders[0]` (an object of type Object) must come from defineLoader()',
    ],
    [
      [named('a'), named('b'), named('a')],
      '`loaders[2].name` ("a") is the name of two loaders: names must be unique',
    ],
  ])('are refused: %#', ([loaders, message]) => {
    expect(() => new LoaderRegistry(loaders as AnyLoader[])).toThrow(InvalidOptionError);
    expect(() => new LoaderRegistry(loaders as AnyLoader[])).toThrow(
      expect.objectContaining({ message }),
    );
  });

  test('may come later, once each', () => {
    const registry = new LoaderRegistry([], { least: 0 });
    const loader = named('a');

    expect(registry.unknown(loader).message).toContain('(registered are: none)');
    expect([registry.add(loader), registry.add(loader)]).toEqual([true, false]);
    expect([...registry]).toEqual([loader]);
    expect(() => registry.add(named('a'))).toThrow(
      '`loader.name` ("a") is the name of two loaders',
    );
    expect(() => registry.add(isFunction as never)).toThrow('`loader` (a function) must come from');
  });

  test('are named to who asks for another one', () => {
    const registry = new LoaderRegistry([named('a'), named('b')]);

    expect(registry.unknown({ name: 'c' })).toMatchObject({
      code: 'UNKNOWN_LOADER',
      message: 'loader "c" is not registered (registered are: a, b)',
    });
    expect(registry.unknown({ name: 'a' }).message).toBe(
      'loader "a" is not registered (another definition of that name is registered)',
    );
    expect(registry.unknown(undefined as never).message).toContain(
      '`loader` (undefined) must come from defineLoader()',
    );
  });
});

test('a loader is known by its shape, so that another copy of Everwarm may have made it', () => {
  expect(isLoader(named('a'))).toBe(true);
  expect(isLoader(JSON.parse('{"name":"a","ttlMs":1000}'))).toBe(false);
  for (const other of [null, undefined, 'a', {}, isFunction]) expect(isLoader(other)).toBe(false);
});
