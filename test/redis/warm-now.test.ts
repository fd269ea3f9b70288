import { beforeEach, expect, it } from 'vitest';
import { defineLoader, type LoadManyContext, type WarmResult } from '../../src/index.ts';
import { entryBytes, entryKey, gate, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

let namespace: string;
let calls: { readonly ids: readonly number[]; readonly reason: string }[];

const many = defineLoader({
  name: 'many',
  ttl: '1m',
  load: (id: number) => `${id}!`,
  loadMany: async (ids: readonly number[], { reason }: LoadManyContext) => {
    calls.push({ ids, reason });
    return ids.map((id) => (id === 13 ? new Error('no luck') : `${id}!`));
  },
});

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

beforeEach(() => {
  namespace = uniqueNamespace();
  calls = [];
});

it('loads what is missing by one loadMany for a hundred keys, without a worker', async () => {
  const cache = await openCache({ namespace, loaders: [many] });
  const failed = recorded(cache, 'warm:failed');
  const heard: WarmResult[] = [];
  const onProgress = (now: WarmResult): void => void heard.push(now);
  expect(await cache.warm(many, numbers(250), { onProgress })).toEqual({
    done: 249,
    skipped: 0,
    failed: 1,
  });
  expect(calls.map(({ ids, reason }) => [ids.length, reason])).toEqual([
    [100, 'warm'],
    [100, 'warm'],
    [50, 'warm'],
  ]);
  expect(heard.at(-1)).toEqual({ done: 249, skipped: 0, failed: 1 });
  expect(failed).toMatchObject([{ loader: 'many', key: '13' }]);
  expect(await cache.getWithMeta(many, 200)).toMatchObject({ value: '200!', source: 'redis' });
  expect(await cache.warm(many, numbers(10))).toEqual({ done: 0, skipped: 10, failed: 0 });
});

it('loads anew what is past half of its life, and drops the copy in memory', async () => {
  const cache = await openCache({ namespace, loaders: [many], memory: { maxEntries: 10 } });
  const nowMs = Date.now();
  const life = { createdAtMs: nowMs - 40_000, expiresAtMs: nowMs + 20_000 };
  await connect().set(entryKey(namespace, many, 1), entryBytes('old', life));
  expect(await cache.get(many, 1)).toBe('old');
  expect(await cache.warm(many, [1])).toMatchObject({ done: 1 });
  expect(await cache.get(many, 1)).toBe('1!');
});

it('takes a stream of params, and runs at most `concurrency` loader calls at a time', async () => {
  let running = 0;
  let most = 0;
  const one = defineLoader({
    name: 'one',
    ttl: '1m',
    load: async (id: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return id;
    },
  });
  async function* stream(): AsyncIterable<number> {
    yield* numbers(150);
  }
  const cache = await openCache({ namespace, loaders: [one] });
  expect(await cache.warm(one, stream(), { concurrency: 3 })).toMatchObject({ done: 150 });
  expect(most).toBe(3);
});

it.for([
  ['by load', undefined],
  ['by loadMany', 100],
] as const)(
  'begins no more keys after the abort, and answers what was done (%s)',
  async ([, size]) => {
    const stop = new AbortController();
    const begun: number[] = [];
    const load = async (id: number): Promise<number> => {
      begun.push(id);
      if (id === 150) stop.abort();
      await new Promise((resolve) => setImmediate(resolve));
      return id;
    };
    const loadMany = (ids: readonly number[]) => Promise.all(ids.map(load));
    const slow = defineLoader({ name: 'slow', ttl: '1m', load, ...(size && { loadMany }) });
    const cache = await openCache({ namespace, loaders: [slow] });
    const progress: number[] = [];
    const result = await cache.warm(slow, numbers(1_000), {
      signal: stop.signal,
      concurrency: 2,
      onProgress: ({ done }) => progress.push(done),
    });

    const stored = await connect().keys(`${namespace}:{slow@1:*`);
    expect(result).toEqual({ done: begun.length, skipped: 0, failed: 0 });
    expect(stored).toHaveLength(begun.length);
    expect(begun.length).toBeLessThanOrEqual(150 + 2 * (size ?? 1));
    const told = progress.length;
    await cache.close(); // What went on in the background would have ended by then.
    expect(begun).toHaveLength(result.done);
    expect(progress).toHaveLength(told);
  },
);

it('begins no more keys after its stream of params has thrown', async () => {
  let begun = 0;
  const load = async (id: number): Promise<number> => {
    begun++;
    return id;
  };
  const one = defineLoader({ name: 'one', ttl: '1m', load });
  async function* stream(): AsyncIterable<number> {
    yield* numbers(50);
    throw new Error('the list broke');
  }
  const cache = await openCache({ namespace, loaders: [one] });
  await expect(cache.warm(one, stream())).rejects.toThrow('the list broke');
  const atTheEnd = begun;
  await cache.close();
  expect(begun).toBe(atTheEnd);
});

it('refuses bad params before anything is loaded, and a stream at the first of them', async () => {
  const cache = await openCache({ namespace, loaders: [many] });
  const bad = [1, Number.NaN];
  await expect(cache.warm(many, bad)).rejects.toMatchObject({ code: 'INVALID_KEY' });
  await expect(cache.warm(many, new Set(bad))).rejects.toMatchObject({ code: 'INVALID_KEY' });
  await expect(cache.warm(many, 7 as never)).rejects.toThrow('`params` (7) must be');
  await expect(cache.warm(many, [1], { concurrency: 0 })).rejects.toThrow('`concurrency` (0)');
  await expect(cache.warm(many, [1], { signal: {} as never })).rejects.toThrow('`signal` (an obj');
  await expect(cache.warm(many, [1], { onProgress: 5 as never })).rejects.toThrow(
    '`onProgress` (5)',
  );
  await expect(cache.warm(many, [1], 'x' as never)).rejects.toThrow('`options` ("x")');
  await expect(cache.warm('many' as never, [1])).rejects.toThrow(
    '`loader` ("many") must come from',
  );
  expect(calls).toEqual([]);
});

it('never stores what it read before an invalidation', async () => {
  const begun = gate();
  const held = gate();
  const raced = defineLoader({
    name: 'raced',
    ttl: '1m',
    load: async () => {
      begun.open();
      await held.opened;
      return 'before';
    },
  });
  const cache = await openCache({ namespace, loaders: [raced] });
  const warming = cache.warm(raced, [null]);
  await begun.opened;
  await cache.invalidate(raced, null);
  held.open();
  expect(await warming).toEqual({ done: 0, skipped: 0, failed: 1 });
  expect(await connect().exists(entryKey(namespace, raced, null))).toBe(0);
});

it('ends with CLOSED when the cache is closed meanwhile', async () => {
  const begun = gate();
  const stuck = defineLoader({
    name: 'stuck',
    ttl: '1m',
    load: () => {
      begun.open();
      return new Promise<string>(() => undefined);
    },
  });
  const cache = await openCache({ namespace, loaders: [stuck] });
  const warming = cache.warm(stuck, [null]);
  const refused = expect(warming).rejects.toMatchObject({ code: 'CLOSED' });
  await begun.opened;
  await cache.close();
  await refused;
});
