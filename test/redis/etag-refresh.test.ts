import { describe, expect, test } from 'vitest';
import { defineLoader, notModified, withEtag } from '../../src/index.ts';
import { decodeEntry, HEADER_BYTES } from '../../src/redis/entry.ts';
import { entryKey, nextEvent, recorded } from '../helpers/cache.ts';
import {
  eachWithOrigin,
  entryOf,
  expire,
  namespace,
  open,
  origin,
  pageLoader,
} from '../helpers/etag-origin.ts';
import { connect } from '../helpers/redis.ts';
import { openRefreshing } from '../helpers/refreshing.ts';
import { priceSchema } from '../helpers/schemas.ts';

eachWithOrigin();

describe('loadMany', () => {
  test('is told the ETag of each key, and may confirm, replace and fail each alone', async () => {
    const etagsOf: (readonly (string | undefined)[])[] = [];
    const page = pageLoader({
      loadMany: async (ids, { etags }) => {
        etagsOf.push(etags);
        return ids.map((id, at) => {
          if (id === 'liar') return notModified();
          if (etags[at] === undefined) return withEtag({ text: id }, `"${id}"`);
          return id === 'changed' ? withEtag({ text: 'two' }, '"2"') : notModified();
        });
      },
    });
    const cache = await open(page);
    await cache.getMany(page, ['kept', 'changed']);
    await Promise.all([expire(page, 'kept'), expire(page, 'changed')]);

    const values = await cache.getMany(page, ['kept', 'changed', 'new']);
    expect(values).toEqual([{ text: 'kept' }, { text: 'two' }, { text: 'new' }]);
    expect(etagsOf).toEqual([
      [undefined, undefined],
      ['"kept"', '"changed"', undefined],
    ]);
    await expect(cache.getMany(page, ['liar', 'newer'])).rejects.toMatchObject({
      message: expect.stringContaining('its context had no etag'),
    });
    expect(await cache.getWithMeta(page, 'newer')).toMatchObject({ source: 'redis' });
  });
});

describe('a refresh by a worker', () => {
  test('confirms by the ETag: refreshed, without a new value', async () => {
    const page = pageLoader();
    const cache = await open(page);
    await cache.get(page, 'a');
    const before = await entryOf(page);
    const { worker, refresh } = await openRefreshing(namespace, page);
    const refreshed = nextEvent(worker, 'refresh:completed');

    await refresh('a', before?.header.createdAtMs ?? 0);

    expect(await refreshed).toMatchObject({ key: 'a' });
    const after = await entryOf(page);
    expect(after?.header.expiresAtMs).toBeGreaterThan(before?.header.expiresAtMs as number);
    expect(after?.payload.equals(before?.payload as Buffer)).toBe(true);
    expect(origin.told).toEqual([undefined, '"1"']);
    expect(origin.full).toBe(1);
  });

  test.for<[string, (bytes: Buffer) => void]>([
    ['is damaged', (bytes) => bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 0xff, bytes.length - 1)],
    ['has another codec', (bytes) => bytes.writeUInt8(9, 36)],
  ])('is a full load where the value %s', async ([, spoil]) => {
    const page = pageLoader();
    const cache = await open(page);
    await cache.get(page, 'a');
    const redis = connect();
    const bytes = (await redis.getBuffer(entryKey(namespace, page, 'a'))) as Buffer;
    expect(bytes.length).toBeGreaterThan(HEADER_BYTES);
    const createdAtMs = decodeEntry(bytes)?.header.createdAtMs ?? 0;
    spoil(bytes);
    await redis.set(entryKey(namespace, page, 'a'), bytes, 'KEEPTTL');
    const { worker, refresh } = await openRefreshing(namespace, page);
    const refreshed = nextEvent(worker, 'refresh:completed');

    await refresh('a', createdAtMs);
    await refreshed;

    expect(origin.told).toEqual([undefined, undefined]);
    expect(await cache.getWithMeta(page, 'a')).toMatchObject({ source: 'redis' });
  });

  test('is a full load where the schema refuses the value', async () => {
    const told: (string | undefined)[] = [];
    const answer = (price: unknown) =>
      ({
        name: 'item',
        ttl: '10m',
        load: async (_id: string) => withEtag({ price }, '"1"'),
      }) as const;
    const before = defineLoader(answer('free'));
    await (await open(before)).get(before, 'a');
    const item = defineLoader({
      ...answer(1),
      schema: priceSchema,
      validateOnRead: true,
      load: async (_id: string, { etag }) => {
        told.push(etag);
        return etag ? notModified() : withEtag({ price: 1 }, '"1"');
      },
    });
    const { worker, refresh } = await openRefreshing(namespace, item);
    const refreshed = nextEvent(worker, 'refresh:completed');

    await refresh('a', (await entryOf(item))?.header.createdAtMs ?? 0);
    await refreshed;

    expect(told).toEqual([undefined]);
    expect(await (await open(item)).getWithMeta(item, 'a')).toMatchObject({
      value: { price: 1 },
      source: 'redis',
    });
  });

  test('that confirms without an ETag has failed', async () => {
    const page = pageLoader({ load: async () => notModified() });
    const { worker, refresh } = await openRefreshing(namespace, page);
    const failed = nextEvent(worker, 'refresh:failed');
    const completed = recorded(worker, 'refresh:completed');

    await refresh('a', 0);

    expect(await failed).toMatchObject({ error: { code: 'LOADER_FAILED' } });
    expect(completed).toEqual([]);
  });
});
