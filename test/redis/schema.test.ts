import { describe, expect, test } from 'vitest';
import {
  defineLoader,
  LoaderError,
  notModified,
  type StandardSchemaV1,
  withEtag,
} from '../../src/index.ts';
import { entryBytes, entryKey, gate, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import { connect, redisUrl, uniqueNamespace } from '../helpers/redis.ts';
import { startRefreshers } from '../helpers/roles.ts';
import { asyncPriceSchema, type Price, priceSchema, schemaOf } from '../helpers/schemas.ts';

const wrong = { price: 'free' };
const issues = 'value.price: expected number';
const rejecting = schemaOf<Price>(() => ({ issues: [{ message: 'no' }] }));

/** A loader that answers what it is told to, and counts. */
function answering(
  answer: () => unknown,
  options: {
    readonly schema: StandardSchemaV1<unknown, Price>;
    readonly validateOnRead?: boolean;
    readonly loadTimeout?: number;
  },
) {
  const calls: string[] = [];
  const loader = defineLoader({
    name: 'item',
    ttl: '1m',
    load: async (id: string) => {
      calls.push(id);
      return answer();
    },
    ...options,
  });
  return { loader, calls };
}

describe.for([
  ['synchronous', priceSchema],
  ['asynchronous', asyncPriceSchema],
] as const)('a loader with a schema that is %s', ([, schema]) => {
  test('stores and answers what the schema makes of its answer', async () => {
    const { loader, calls } = answering(() => ({ price: 1, stock: 2 }), { schema });
    const cache = await openCache({ loaders: [loader] });

    expect(await cache.get(loader, 'a')).toEqual({ price: 1 });
    expect(await cache.getWithMeta(loader, 'a')).toMatchObject({
      value: { price: 1 },
      source: 'redis',
    });
    expect(calls).toEqual(['a']);
  });

  test('fails where its answer does not match, and says where once', async () => {
    const namespace = uniqueNamespace();
    const { loader } = answering(() => wrong, { schema });
    const cache = await openCache({ namespace, loaders: [loader] });
    const mismatches = recorded(cache, 'schema:mismatched');
    const failures = recorded(cache, 'load:failed');

    const error = await cache.get(loader, 'a').catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(LoaderError);
    expect(error).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: `loader "item" failed for key a: its answer does not match its schema: ${issues}`,
    });
    expect(mismatches).toEqual([{ loader: 'item', key: 'a', at: 'load', issues }]);
    expect(failures).toHaveLength(1);
    expect(await connect().exists(entryKey(namespace, loader, 'a'))).toBe(0);
  });

  test('with validateOnRead loads anew what does not match, counted and reported', async () => {
    const namespace = uniqueNamespace();
    const { loader, calls } = answering(() => ({ price: 1 }), { schema, validateOnRead: true });
    await connect().set(entryKey(namespace, loader, 'a'), entryBytes(wrong), 'PX', 60_000);
    const cache = await openCache({ namespace, loaders: [loader] });
    const mismatches = recorded(cache, 'schema:mismatched');
    const misses = recorded(cache, 'entry:missed');

    expect(await cache.get(loader, 'a')).toEqual({ price: 1 });
    expect(await cache.getMany(loader, ['a', 'a'])).toEqual([{ price: 1 }, { price: 1 }]);
    expect(calls).toEqual(['a']);
    expect(mismatches).toEqual([{ loader: 'item', key: 'a', at: 'read', issues }]);
    expect(misses).toEqual([{ loader: 'item', key: 'a', cause: 'mismatched' }]);
  });

  test('with validateOnRead serves no mismatching value, not even a stale one', async () => {
    const namespace = uniqueNamespace();
    const { loader } = answering(() => wrong, { schema, validateOnRead: true });
    const nowMs = Date.now();
    const expired = { createdAtMs: nowMs - 60_000, expiresAtMs: nowMs - 1_000 };
    const bytes = entryBytes(wrong, expired);
    await connect().set(entryKey(namespace, loader, 'a'), bytes, 'PX', 60_000);
    const cache = await openCache({ namespace, loaders: [loader] });
    const mismatches = recorded(cache, 'schema:mismatched');

    await expect(cache.get(loader, 'a')).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    expect(mismatches.map(({ at }) => at)).toEqual(['read', 'load']);
  });
});

test('a value that does not match cannot be confirmed as "not modified"', async () => {
  const namespace = uniqueNamespace();
  const definition = { name: 'item', ttl: '1m' } as const;
  const older = defineLoader({ ...definition, load: async (_id: string) => withEtag(wrong, 'v1') });
  const etags: (string | undefined)[] = [];
  const newer = defineLoader({
    ...definition,
    schema: priceSchema,
    validateOnRead: true,
    load: async (_id: string, { etag }) => {
      etags.push(etag);
      return etag === 'v1' ? notModified() : withEtag({ price: 1 }, 'v1');
    },
  });
  const before = await openCache({ namespace, loaders: [older] });
  await before.get(older, 'a');
  const cache = await openCache({ namespace, loaders: [newer] });

  expect(await cache.get(newer, 'a')).toEqual({ price: 1 });
  expect(etags).toEqual([undefined]);
});

test('an expired value answers for a load that does not match', async () => {
  const namespace = uniqueNamespace();
  const { loader } = answering(() => wrong, { schema: priceSchema, validateOnRead: true });
  const nowMs = Date.now();
  const bytes = entryBytes({ price: 1 }, { createdAtMs: nowMs - 60_000, expiresAtMs: nowMs - 1 });
  await connect().set(entryKey(namespace, loader, 'a'), bytes, 'PX', 60_000);
  const cache = await openCache({ namespace, loaders: [loader] });

  expect(await cache.getWithMeta(loader, 'a')).toMatchObject({
    value: { price: 1 },
    state: 'stale',
  });
});

test('without validateOnRead a stored value is answered as it is', async () => {
  const namespace = uniqueNamespace();
  const { loader } = answering(() => ({ price: 1 }), { schema: priceSchema });
  await connect().set(entryKey(namespace, loader, 'a'), entryBytes(wrong), 'PX', 60_000);
  const cache = await openCache({ namespace, loaders: [loader] });

  expect(await cache.get(loader, 'a')).toEqual(wrong);
});

test('a loader that finds nothing needs no schema for it', async () => {
  const { loader } = answering(() => undefined, { schema: rejecting });
  const cache = await openCache({ loaders: [loader] });

  expect(await cache.get(loader, 'a')).toBeUndefined();
});

test('of a loadMany only the keys whose answers do not match fail', async () => {
  const loader = defineLoader({
    name: 'item',
    ttl: '1m',
    schema: priceSchema,
    load: async (id: number): Promise<unknown> => id,
    loadMany: async (ids) => ids.map((id) => (id === 2 ? wrong : { price: id, stock: 1 })),
  });
  const cache = await openCache({ loaders: [loader] });
  const mismatches = recorded(cache, 'schema:mismatched');

  await expect(cache.getMany(loader, [1, 2, 3])).rejects.toMatchObject({
    code: 'SCHEMA_MISMATCH',
    message: expect.stringContaining('for key 2: '),
  });
  expect(mismatches).toEqual([{ loader: 'item', key: '2', at: 'load', issues }]);
  expect(await cache.getMany(loader, [1, 3])).toEqual([{ price: 1 }, { price: 3 }]);
});

describe('a validator that does not settle', () => {
  const never = schemaOf<Price>(() => new Promise(() => undefined));

  test('is cut off at loadTimeout like the load it belongs to', async () => {
    const { loader } = answering(() => ({ price: 1 }), { schema: never, loadTimeout: 50 });
    const cache = await openCache({ loaders: [loader] });

    await expect(cache.get(loader, 'a')).rejects.toMatchObject({ code: 'LOADER_TIMEOUT' });
  });

  test('on a read has found a mismatch at loadTimeout', async () => {
    const namespace = uniqueNamespace();
    let isSlow = true;
    const schema = schemaOf<Price>((value) => {
      if (!isSlow) return priceSchema['~standard'].validate(value);
      isSlow = false;
      return new Promise(() => undefined);
    });
    const options = { schema, validateOnRead: true, loadTimeout: 50 };
    const { loader } = answering(() => ({ price: 2 }), options);
    const bytes = entryBytes({ price: 1 });
    await connect().set(entryKey(namespace, loader, 'a'), bytes, 'PX', 60_000);
    const cache = await openCache({ namespace, loaders: [loader] });
    const mismatched = nextEvent(cache, 'schema:mismatched');

    expect(await cache.get(loader, 'a')).toEqual({ price: 2 });
    expect(await mismatched).toMatchObject({
      at: 'read',
      issues: 'the validator did not answer within loadTimeout (50 ms)',
    });
  });
});

describe('a schema that rejects everything', () => {
  test('costs one load for all who wait, through two caches, and all hear of the mismatch', async () => {
    const namespace = uniqueNamespace();
    const loading = gate();
    const { loader, calls } = answering(
      async () => {
        await loading.opened;
        return { price: 1 };
      },
      { schema: rejecting, validateOnRead: true },
    );
    await connect().set(entryKey(namespace, loader, 'a'), entryBytes({ price: 1 }), 'PX', 60_000);
    const caches = [
      await openCache({ namespace, loaders: [loader] }),
      await openCache({ namespace, loaders: [loader] }),
    ];
    const missed = caches.map((cache) => recorded(cache, 'entry:missed'));
    const mismatches = caches.map((cache) => recorded(cache, 'schema:mismatched'));

    const reads = caches.flatMap((cache) =>
      Array.from({ length: 100 }, () => cache.get(loader, 'a').catch((error: unknown) => error)),
    );
    await expect.poll(() => missed.map(({ length }) => length)).toEqual([100, 100]);
    loading.open();
    const errors = await Promise.all(reads);

    expect(errors).toHaveLength(200);
    for (const error of errors) expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH' });
    expect(calls).toEqual(['a']);
    expect(mismatches.flat().filter(({ at }) => at === 'load')).toHaveLength(1);
    expect(mismatches.flat().filter(({ at }) => at === 'read')).toHaveLength(200);
  });

  test('on a refresh leaves the entry, and the refresh is tried again later', async () => {
    const namespace = uniqueNamespace();
    let isRejecting = false;
    const loader = defineLoader({
      name: 'item',
      ttl: '1s',
      refresh: { threshold: 1, minLead: '500ms' },
      load: async (_id: string) => ({ price: 1 }),
      schema: schemaOf<Price>((value) =>
        (isRejecting ? rejecting : priceSchema)['~standard'].validate(value),
      ),
    });
    const roles = { redis: redisUrl(), namespace, loaders: [loader] };
    const cache = await openCache({ ...roles, flushInterval: 100 });
    const { worker, scheduler } = await startRefreshers(roles);
    const mismatched = nextEvent(worker, 'schema:mismatched');
    const failed = nextEvent(worker, 'refresh:failed');

    await cache.get(loader, 'a');
    isRejecting = true;
    for (let read = 0; read < 20; read++) await cache.get(loader, 'a');

    expect(await mismatched).toMatchObject({ key: 'a', at: 'load', issues: 'value: no' });
    expect(await failed).toMatchObject({ key: 'a', error: { code: 'SCHEMA_MISMATCH' } });
    await Promise.all([scheduler.close(), worker.close()]);
  });
});
