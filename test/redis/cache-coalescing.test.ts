import { describe, expect, test } from 'vitest';
import { defineLoader, LoaderError } from '../../src/index.ts';
import { entryKey, gate, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const READERS = 1_000;

function times<T>(count: number, one: () => T): T[] {
  return Array.from({ length: count }, one);
}

describe('readers of one missing key', () => {
  test('cause one load, 1,000 of them', async () => {
    let loads = 0;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (id: string) => ({ id, n: ++loads }),
    });
    const cache = await openCache({ loaders: [item] });

    const answers = await Promise.all(times(READERS, () => cache.get(item, 'a')));

    expect(answers).toEqual(times(READERS, () => ({ id: 'a', n: 1 })));
    expect(loads).toBe(1);
  });

  test('cause one load when they come through two caches', async () => {
    let loads = 0;
    const held = gate();
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string) => {
        loads++;
        await held.opened;
        return loads;
      },
    });
    const namespace = uniqueNamespace();
    const one = await openCache({ namespace, loaders: [item] });
    const two = await openCache({ namespace, loaders: [item] });
    const missed = nextEvent(two, 'entry:missed');

    const first = times(READERS, () => one.get(item, 'a'));
    await expect.poll(() => loads).toBe(1);
    const second = times(READERS, () => two.get(item, 'a'));
    await missed;
    held.open();

    expect(await Promise.all([...first, ...second])).toEqual(times(2 * READERS, () => 1));
    expect(loads).toBe(1);
  });

  test('cause one load and get undefined where the loader finds nothing; nothing is kept', async () => {
    let loads = 0;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string): Promise<number | undefined> => {
        loads++;
        return undefined;
      },
    });
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, loaders: [item] });

    const answers = await Promise.all(times(READERS, () => cache.getWithMeta(item, 'a')));

    const nothing = { value: undefined, source: 'loader', state: 'uncached', ageMs: 0, ttlMs: 0 };
    expect(answers).toEqual(times(READERS, () => nothing));
    expect(loads).toBe(1);
    expect(await connect().exists(entryKey(namespace, item, 'a'))).toBe(0);
    await cache.get(item, 'a');
    expect(loads).toBe(2);
  });

  test('cause one load and all get its error', async () => {
    let loads = 0;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string): Promise<number> => {
        loads++;
        throw new Error('origin is down');
      },
    });
    const cache = await openCache({ loaders: [item] });

    const answers = await Promise.allSettled(times(READERS, () => cache.get(item, 'a')));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(loads).toBe(1);
  });
});

/** A loader of many, whose calls a test looks at. */
function batching(load: (ids: readonly string[]) => readonly (string | Error | undefined)[]) {
  const calls: (readonly string[])[] = [];
  const contexts: unknown[] = [];
  const alone: string[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (id: string) => {
      alone.push(id);
      return `${id} alone`;
    },
    loadMany: async (ids, context) => {
      calls.push(ids);
      contexts.push({ reason: context.reason, keys: context.keys, attempt: context.attempt });
      return load(ids) as readonly (string | Error)[];
    },
  });
  return { loader, calls, contexts, alone };
}

describe('getMany', () => {
  test('loads all that is missing by one loadMany, each key once, and answers in order', async () => {
    const { loader, calls, contexts, alone } = batching((ids) => ids.map((id) => `${id}!`));
    const cache = await openCache({ loaders: [loader] });
    await cache.set(loader, 'c', 'set');

    expect(await cache.getMany(loader, ['b', 'a', 'c', 'b', 'a'])).toEqual([
      'b!',
      'a!',
      'set',
      'b!',
      'a!',
    ]);
    expect(calls).toEqual([['b', 'a']]);
    expect(contexts).toEqual([{ reason: 'miss', keys: ['b', 'a'], attempt: 1 }]);
    expect(alone).toEqual([]);
    expect(await cache.getMany(loader, ['a', 'b'])).toEqual(['a!', 'b!']);
    expect(calls).toHaveLength(1);
  });

  test('answers nothing for nothing', async () => {
    const { loader, calls } = batching((ids) => [...ids]);
    const cache = await openCache({ loaders: [loader] });

    expect(await cache.getMany(loader, [])).toEqual([]);
    expect(calls).toEqual([]);
  });

  test('loads one by one where there is no loadMany', async () => {
    const loads: number[] = [];
    const square = defineLoader({
      name: 'square',
      ttl: '1m',
      load: async (n: number) => {
        loads.push(n);
        return n * n;
      },
    });
    const cache = await openCache({ loaders: [square] });

    expect(await cache.getMany(square, [3, 1, 3, 2])).toEqual([9, 1, 9, 4]);
    expect(loads.sort()).toEqual([1, 2, 3]);
  });

  test('joins a load of one of its keys that is under way', async () => {
    const held = gate();
    const calls: (readonly string[])[] = [];
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (id: string) => {
        await held.opened;
        return `${id} alone`;
      },
      loadMany: async (ids) => {
        calls.push(ids);
        return ids.map((id) => `${id} together`);
      },
    });
    const cache = await openCache({ loaders: [item] });
    const missed = nextEvent(cache, 'entry:missed', ({ key }) => key === 'a');
    const batched = nextEvent(cache, 'load:completed', ({ key }) => key === 'b');

    const single = cache.get(item, 'a');
    await missed;
    const many = cache.getMany(item, ['a', 'b', 'c']);
    await batched;
    held.open();

    expect(await single).toBe('a alone');
    expect(await many).toEqual(['a alone', 'b together', 'c together']);
    expect(calls).toEqual([['b', 'c']]);
  });

  test('is one load of each key for 100 getMany at once', async () => {
    const { loader, calls, alone } = batching((ids) => ids.map((id) => `${id}!`));
    const cache = await openCache({ loaders: [loader] });

    const answers = await Promise.all(times(100, () => cache.getMany(loader, ['a', 'b', 'c'])));

    expect(answers).toEqual(times(100, () => ['a!', 'b!', 'c!']));
    expect([...calls.flat(), ...alone].sort()).toEqual(['a', 'b', 'c']);
  });

  test('rejects with the error of the key that failed, and keeps the others', async () => {
    const cause = new RangeError('no such row');
    const { loader, calls } = batching((ids) => ids.map((id) => (id === 'b' ? cause : `${id}!`)));
    const cache = await openCache({ loaders: [loader] });

    const error = await cache.getMany(loader, ['a', 'b', 'c']).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(LoaderError);
    expect(error).toMatchObject({
      code: 'LOADER_FAILED',
      message: 'loader "item" failed for key b: no such row',
      cause,
    });
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'a!', source: 'redis' });
    expect(await cache.getWithMeta(loader, 'c')).toMatchObject({ value: 'c!', source: 'redis' });
    expect(calls).toHaveLength(1);
  });

  test('answers undefined for the keys that loadMany finds nothing for', async () => {
    const { loader } = batching((ids) => ids.map((id) => (id === 'b' ? undefined : `${id}!`)));
    const cache = await openCache({ loaders: [loader] });

    expect(await cache.getMany(loader, ['a', 'b', 'c'])).toEqual(['a!', undefined, 'c!']);
  });

  test('fails every key when loadMany answers another number of them', async () => {
    const { loader } = batching((ids) => ids.slice(1));
    const cache = await openCache({ loaders: [loader] });
    const failures = recorded(cache, 'load:failed');

    await expect(cache.getMany(loader, ['a', 'b', 'c'])).rejects.toMatchObject({
      code: 'LOADER_FAILED',
      message:
        'loader "item" failed for key a: loadMany must answer an array of 3, in order, but gave 2 answers',
    });
    expect(failures.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });
});
