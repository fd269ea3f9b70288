import { describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { readStored } from '../../src/redis/stored-value.ts';
import { entryKey, type Gate, gate, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

interface Held {
  readonly loader: Loader<string, string>;
  /** The n-th load answers `value n` once gates[n] is open. */
  readonly gates: readonly Gate[];
  readonly signals: AbortSignal[];
}

function held(): Held {
  const gates = Array.from({ length: 4 }, gate);
  const signals: AbortSignal[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (_id: string, { signal }) => {
      const n = signals.push(signal) - 1;
      await gates[n]?.opened;
      return `value ${n}`;
    },
  });
  return { loader, gates, signals };
}

interface Scene extends Held {
  readonly cache: Cache;
  readonly namespace: string;
  /** Reads 'a'; resolves to the pending answer once that read's load runs. */
  read(): Promise<{ readonly answer: Promise<unknown> }>;
  /** Lets the n-th load answer, and waits until that is stored or refused. */
  finish(n: number): Promise<void>;
  /** What a stranger to this process would read. */
  stored(): Promise<unknown>;
}

async function scene(): Promise<Scene> {
  const namespace = uniqueNamespace();
  const own = held();
  const { loader, gates, signals } = own;
  const cache = await openCache({ namespace, loaders: [loader] });
  const completed = recorded(cache, 'load:completed');
  const redis = connect();
  return {
    ...own,
    cache,
    namespace,
    async read() {
      const loads = signals.length;
      const answer = cache.getWithMeta(loader, 'a');
      await expect.poll(() => signals.length, { interval: 1 }).toBe(loads + 1);
      return { answer };
    },
    async finish(n) {
      const loads = completed.length;
      gates[n]?.open();
      await expect.poll(() => completed.length, { interval: 1 }).toBe(loads + 1);
    },
    async stored() {
      const bytes = await redis.getBuffer(entryKey(namespace, loader, 'a'));
      if (bytes === null) return null;
      const found = readStored(bytes);
      return found.isReadable ? found.value : found;
    },
  };
}

describe('invalidate during a load', () => {
  test('keeps what the load read before from being stored or answered: it starts over', async () => {
    const { cache, loader, read, finish, stored } = await scene();

    const { answer } = await read();
    expect(await cache.invalidate(loader, 'a')).toBe(false);
    await finish(0);
    expect(await stored()).toBeNull();
    await finish(1);

    expect(await answer).toMatchObject({ value: 'value 1', state: 'fresh' });
    expect(await stored()).toBe('value 1');
  });

  test('removes what a load has just stored', async () => {
    const { cache, loader, read, finish, stored } = await scene();

    const { answer } = await read();
    await finish(0);
    expect(await answer).toMatchObject({ value: 'value 0', state: 'fresh' });
    expect(await cache.invalidate(loader, 'a')).toBe(true);

    expect(await stored()).toBeNull();
  });

  test('makes later readers start anew; the newer load is stored, the older lands after it', async () => {
    const { cache, loader, read, finish, stored } = await scene();

    const { answer: old } = await read();
    await cache.invalidate(loader, 'a');
    const { answer: young } = await read();
    await finish(1);
    expect(await young).toMatchObject({ value: 'value 1', state: 'fresh' });
    await finish(0);

    expect(await old).toMatchObject({ value: 'value 1', source: 'loader', state: 'fresh' });
    expect(await stored()).toBe('value 1');
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({
      value: 'value 1',
      source: 'redis',
    });
  });

  test('makes later readers start anew; the older load lands before the newer and is refused', async () => {
    const { cache, loader, read, finish, stored } = await scene();

    const { answer: old } = await read();
    await cache.invalidate(loader, 'a');
    const { answer: young } = await read();
    await finish(0);
    expect(await stored()).toBeNull();
    await finish(1);

    expect(await young).toMatchObject({ value: 'value 1', state: 'fresh' });
    expect(await old).toMatchObject({ value: 'value 1', state: 'fresh' });
    expect(await stored()).toBe('value 1');
  });

  test('voids a load of another cache of the namespace too', async () => {
    const { loader, namespace, read, finish, stored } = await scene();
    const other = await openCache({ namespace, loaders: [loader] });

    const { answer } = await read();
    await other.invalidate(loader, 'a');
    await finish(0);
    expect(await stored()).toBeNull();
    await finish(1);

    expect(await answer).toMatchObject({ value: 'value 1', state: 'fresh' });
  });

  test('voids a load that finds nothing, so that it removes nothing newer', async () => {
    const found = gate();
    let loads = 0;
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string): Promise<string | undefined> => {
        loads++;
        await found.opened;
        return undefined;
      },
    });
    const cache = await openCache({ loaders: [item] });

    const answer = cache.get(item, 'a');
    await expect.poll(() => loads, { interval: 1 }).toBe(1);
    await cache.set(item, 'a', 'set');
    found.open();

    expect(await answer).toBe('set');
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'set', source: 'redis' });
  });

  test('voids a load of many keys for its own key alone', async () => {
    const answered = gate();
    const loads: (readonly string[])[] = [];
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (id: string) => `${id} alone`,
      loadMany: async (ids) => {
        loads.push(ids);
        await answered.opened;
        return ids.map((id) => `${id} together`);
      },
    });
    const cache = await openCache({ loaders: [item] });

    const answers = cache.getMany(item, ['a', 'b']);
    await expect.poll(() => loads, { interval: 1 }).toEqual([['a', 'b']]);
    await cache.invalidate(item, 'a');
    answered.open();

    expect(await answers).toEqual(['a alone', 'b together']);
    expect(await cache.getWithMeta(item, 'b')).toMatchObject({ source: 'redis' });
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ value: 'a alone' });
  });
});

describe('set during a load', () => {
  test('wins over what the load read before', async () => {
    const { cache, loader, read, finish, stored } = await scene();

    const { answer } = await read();
    await cache.set(loader, 'a', 'set');
    await finish(0);

    expect(await answer).toMatchObject({ value: 'set', source: 'loader', state: 'fresh' });
    expect(await stored()).toBe('set');
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'set', source: 'redis' });
  });

  test('is what later readers get while that load still runs', async () => {
    const { cache, loader, gates, read, signals } = await scene();

    const { answer } = await read();
    await cache.set(loader, 'a', 'set');

    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({ value: 'set', source: 'redis' });
    expect(signals).toHaveLength(1);
    gates[0]?.open();
    await answer;
  });
});

describe('a lost lock', () => {
  test('aborts the load, which then starts over', async () => {
    const { loader, gates, signals } = held();
    const namespace = uniqueNamespace();
    const cache = await openCache({ namespace, lockTtl: 300, loaders: [loader] });
    const lost = recorded(cache, 'lock:lost');
    const failed = recorded(cache, 'load:failed');

    const answer = cache.getWithMeta(loader, 'a');
    await expect.poll(() => signals.length, { interval: 1 }).toBe(1);
    await connect().del(`${entryKey(namespace, loader, 'a')}:lock`);
    gates[1]?.open();

    expect(await answer).toMatchObject({ value: 'value 1', state: 'fresh' });
    expect(lost).toEqual([{ loader: 'item', key: 'a' }]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(failed).toMatchObject([{ error: { code: 'LOAD_ABORTED' } }]);
    gates[0]?.open();
  });

  test('cannot happen to a load that takes longer than lockTtl: the lock is renewed', async () => {
    const { loader, gates, signals } = held();
    const namespace = uniqueNamespace();
    const one = await openCache({ namespace, lockTtl: 600, loaders: [loader] });
    const two = await openCache({ namespace, lockTtl: 600, loaders: [loader] });
    const redis = connect();
    const lockKey = `${entryKey(namespace, loader, 'a')}:lock`;

    const first = one.getWithMeta(loader, 'a');
    await expect.poll(() => signals.length, { interval: 1 }).toBe(1);
    const token = await redis.get(lockKey);
    const second = two.getWithMeta(loader, 'a');
    // Only time can show that a lock outlives its own ttl.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // The mark says that somebody waits.
    expect(await redis.get(lockKey)).toBe(`${token}=\n`);
    gates[0]?.open();

    expect(await first).toMatchObject({ value: 'value 0', state: 'fresh' });
    expect(await second).toMatchObject({ value: 'value 0', source: 'loader', state: 'fresh' });
    expect(signals).toHaveLength(1);
  });
});
