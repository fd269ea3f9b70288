import { describe, expect, test } from 'vitest';
import { defineLoader, type LoaderDefinition } from '../../../src/loaders/define-loader.ts';
import { type LoadTarget, runLoadMany } from '../../../src/loaders/run-loader.ts';

type Definition = LoaderDefinition<string, unknown>;

function targets(loadMany: Definition['loadMany'], keys: readonly string[]): LoadTarget[] {
  const loader = defineLoader<string, unknown>({
    name: 'item',
    ttl: '1m',
    load: async (id) => `${id} alone`,
    ...(loadMany && { loadMany }),
  });
  return keys.map((key) => ({ loader, key }));
}

const call = { reason: 'miss', attempt: 1 } as const;
const never = (): Promise<never> => new Promise<never>(() => undefined);

describe('a load of many', () => {
  test('is one call, with an answer for each key', async () => {
    const calls: unknown[] = [];
    const asked = targets(
      async (ids, { keys, reason, attempt }) => {
        calls.push({ ids, keys, reason, attempt });
        return ids.map((id) => (id === 'b' ? undefined : `${id}!`));
      },
      ['a', 'b', 'c'],
    );

    expect(await runLoadMany(asked, { reason: 'refresh', attempt: 2 })).toEqual([
      { value: 'a!', etag: null },
      { value: undefined, etag: null },
      { value: 'c!', etag: null },
    ]);
    const keys = ['a', 'b', 'c'];
    expect(calls).toEqual([{ ids: keys, keys, reason: 'refresh', attempt: 2 }]);
  });

  test('is a load of each where the loader has no loadMany', async () => {
    const asked = targets(undefined, ['a', 'b']);
    expect(await runLoadMany(asked, call)).toEqual([
      { value: 'a alone', etag: null },
      { value: 'b alone', etag: null },
    ]);
    expect(await runLoadMany([], call)).toEqual([]);
  });

  test('fails a key alone that it answers with an Error', async () => {
    const cause = new Error('gone');
    const asked = targets(async () => ['a!', cause], ['a', 'b']);
    expect(await runLoadMany(asked, call)).toMatchObject([
      { value: 'a!', etag: null },
      { error: { code: 'LOADER_FAILED', message: 'loader "item" failed for key b: gone', cause } },
    ]);
  });

  test('takes a hole for nothing there', async () => {
    const sparse = new Array<string>(2);
    sparse[1] = 'b!';
    const asked = targets(async () => sparse, ['a', 'b']);
    expect(await runLoadMany(asked, call)).toEqual([
      { value: undefined, etag: null },
      { value: 'b!', etag: null },
    ]);
  });

  test('fails a key that it answers with a promise, and nothing dies of it', async () => {
    const promises = ['a', 'b'].map(async (id) => {
      if (id === 'b') throw new Error('late');
      return id;
    });
    const loadMany = (async () => promises) as unknown as NonNullable<Definition['loadMany']>;
    const rule = 'loadMany answered a promise: it has to await all of them (Promise.all)';
    expect(await runLoadMany(targets(loadMany, ['a', 'b']), call)).toMatchObject([
      { error: { message: `loader "item" failed for key a: ${rule}` } },
      { error: { message: `loader "item" failed for key b: ${rule}` } },
    ]);
  });

  test.for<[unknown, string]>([
    [['a!'], '1 answers'],
    [['a!', 'b!', 'c!'], '3 answers'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ a: 'a!', b: 'b!' }, 'an object of type Object'],
    [new Map([['a', 'a!']]), 'an object of type Map'],
  ])('fails every key when it answers anything but an array of all: %#', async ([gave, got]) => {
    const loadMany = (async () => gave) as unknown as NonNullable<Definition['loadMany']>;
    const rule = `loadMany must answer an array of 2, in order, but gave ${got}`;
    expect(await runLoadMany(targets(loadMany, ['a', 'b']), call)).toMatchObject([
      { error: { message: `loader "item" failed for key a: ${rule}` } },
      { error: { message: `loader "item" failed for key b: ${rule}` } },
    ]);
  });

  test('fails every key when it throws, rejects or takes too long', async () => {
    const broken: NonNullable<Definition['loadMany']>[] = [
      () => {
        throw new Error('no');
      },
      () => Promise.reject(new Error('no')),
    ];
    for (const loadMany of broken) {
      const answers = await runLoadMany(targets(loadMany, ['a', 'b']), call);
      expect(answers).toMatchObject([{ error: { code: 'LOADER_FAILED' } }, { error: {} }]);
    }
    const loader = defineLoader<string, unknown>({
      name: 'item',
      ttl: '1m',
      load: never,
      loadMany: never,
      loadTimeout: 10,
    });
    const asked = ['a', 'b'].map((key) => ({ loader, key }));
    expect(await runLoadMany(asked, call)).toMatchObject([
      { error: { code: 'LOADER_TIMEOUT' } },
      { error: { code: 'LOADER_TIMEOUT' } },
    ]);
  });
});
