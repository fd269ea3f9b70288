import { describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader, LoaderError } from '../../src/index.ts';
import { entryBytes, entryKey, gate, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';
import { leavesNoRejections } from '../helpers/unhandled.ts';

const unhandled = leavesNoRejections();

const down = new Error('origin is down');

/** A loader that does what `script` says, call by call, and its last word from then on. */
function scripted(...script: (() => unknown)[]) {
  let calls = 0;
  const loader = defineLoader({
    name: 'item',
    ttl: '1m',
    staleIfError: '10s',
    load: async (_id: string): Promise<string> => {
      const step = script[Math.min(calls, script.length - 1)];
      calls++;
      return step?.() as string;
    },
  });
  return { loader, calls: () => calls };
}

const fail = (): never => {
  throw down;
};

/** A cache in which the entry of 'a' expired `agoMs` ago and is still there. */
async function withExpired(loader: Loader<string, string>, agoMs: number): Promise<Cache> {
  const namespace = uniqueNamespace();
  const nowMs = Date.now();
  const bytes = entryBytes('old', {
    createdAtMs: nowMs - agoMs - 60_000,
    expiresAtMs: nowMs - agoMs,
  });
  await connect().set(entryKey(namespace, loader, 'a'), bytes, 'PX', 60_000);
  return openCache({ namespace, loaders: [loader] });
}

describe('a loader that fails', () => {
  test('rejects with a LoaderError that names loader and key and carries the cause', async () => {
    const { loader } = scripted(fail);
    const cache = await openCache({ loaders: [loader] });

    const error = await cache.get(loader, 'a').catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(LoaderError);
    expect(error).toMatchObject({
      name: 'LoaderError',
      code: 'LOADER_FAILED',
      message: 'loader "item" failed for key a: origin is down',
      cause: down,
    });
  });

  test('is called again at once by the next get', async () => {
    const { loader, calls } = scripted(fail, () => 'up again');
    const cache = await openCache({ loaders: [loader] });

    await expect(cache.get(loader, 'a')).rejects.toBeInstanceOf(LoaderError);
    expect(await cache.get(loader, 'a')).toBe('up again');
    expect(calls()).toBe(2);
  });

  test('is answered with the expired value while staleIfError allows it, and loads again', async () => {
    const { loader, calls } = scripted(fail, fail, () => 'new');
    const cache = await withExpired(loader, 5_000);
    const failures = recorded(cache, 'load:failed');

    const stale = { value: 'old', source: 'redis', state: 'stale' };
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject(stale);
    expect((await cache.getWithMeta(loader, 'a')).ttlMs).toBeLessThanOrEqual(-5_000);
    expect(failures).toHaveLength(2);
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'new', state: 'fresh' });
    expect(calls()).toBe(3);
  });

  test('is not hidden by a value that expired longer than staleIfError ago', async () => {
    const { loader } = scripted(fail);
    const cache = await withExpired(loader, 10_001);

    await expect(cache.get(loader, 'a')).rejects.toMatchObject({ cause: down });
  });

  test('is not hidden by an expired value that was invalidated', async () => {
    const { loader } = scripted(fail);
    const cache = await withExpired(loader, 5_000);

    await cache.invalidate(loader, 'a');
    await expect(cache.get(loader, 'a')).rejects.toMatchObject({ cause: down });
  });

  test('fails its readers alike whether it throws, rejects or throws no Error', async () => {
    const thrower = defineLoader({
      name: 'thrower',
      ttl: '1m',
      load: (what: string): string => {
        throw what === 'error' ? down : what;
      },
    });
    const cache = await openCache({ loaders: [thrower] });

    await expect(cache.get(thrower, 'error')).rejects.toMatchObject({ cause: down });
    await expect(cache.get(thrower, 'text')).rejects.toMatchObject({
      message: 'loader "thrower" failed for key text: text',
      cause: 'text',
    });
  });
});

describe('a loader that does not settle', () => {
  test('is aborted at loadTimeout, and what it answers later is dropped', async () => {
    const late = gate();
    const signals: AbortSignal[] = [];
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      loadTimeout: 50,
      load: async (_id: string, { signal }) => {
        signals.push(signal);
        if (signals.length > 1) return 'second';
        await late.opened;
        return 'late';
      },
    });
    const cache = await openCache({ loaders: [item] });

    await expect(cache.get(item, 'a')).rejects.toMatchObject({
      code: 'LOADER_TIMEOUT',
      message: 'loader "item" failed for key a: no answer within loadTimeout (50 ms)',
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await cache.get(item, 'a')).toBe('second');
    late.open();
    await late.opened;
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'second', source: 'redis' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  test('and fails after its timeout makes no unhandled rejection', async () => {
    const late = gate();
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      loadTimeout: 50,
      load: async (_id: string): Promise<string> => {
        await late.opened;
        throw new Error('too late to be heard');
      },
    });
    const cache = await openCache({ loaders: [item] });

    await expect(cache.get(item, 'a')).rejects.toMatchObject({ code: 'LOADER_TIMEOUT' });
    late.open();
    await new Promise((resolve) => setImmediate(resolve)); // Node reports unhandled ones before this.
    expect(unhandled).toEqual([]);
  });
});

test('a getMany whose every key fails makes no unhandled rejection', async () => {
  const item = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (id: string): Promise<string> => {
      throw new Error(`no ${id}`);
    },
  });
  const cache = await openCache({ loaders: [item] });

  await expect(cache.getMany(item, ['a', 'b', 'c'])).rejects.toMatchObject({
    message: 'loader "item" failed for key a: no a',
  });
  await new Promise((resolve) => setImmediate(resolve)); // Node reports unhandled ones before this.
  expect(unhandled).toEqual([]);
});

test('a value that cannot be packed is answered and not kept', async () => {
  let loads = 0;
  const item = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (_id: string) => ({ n: ++loads, at: Symbol('here') }),
  });
  const cache = await openCache({ loaders: [item] });
  const completed = recorded(cache, 'load:completed');
  const unstored = recorded(cache, 'store:failed');

  expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: { n: 1 }, state: 'uncached' });
  expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: { n: 2 }, state: 'uncached' });
  expect(completed.map(({ stored }) => stored)).toEqual([false, false]);
  expect(unstored).toMatchObject([{ key: 'a', error: expect.any(Error) }, { key: 'a' }]);
});

describe('an async function where a plain one is asked for', () => {
  const fails = (async () => {
    throw new Error('late');
  }) as never;
  const load = async (id: string) => id;
  const loaders = {
    tags: defineLoader({ name: 'item', ttl: '1m', tags: fails, load }),
    ttl: defineLoader({ name: 'item', ttl: fails, nominalTtl: '1m', load }),
  };

  test.for(Object.entries(loaders))(
    'as %s: the value is answered and not stored, and nothing is left unhandled',
    async ([field, loader]) => {
      const cache = await openCache({ loaders: [loader] });
      const failed = recorded(cache, 'store:failed');

      expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'a', state: 'uncached' });
      expect(failed).toMatchObject([{ error: { message: expect.stringContaining(field) } }]);
      await expect(cache.set(loader, 'a', 'b')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    },
  );
});
