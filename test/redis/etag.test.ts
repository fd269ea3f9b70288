import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { defineLoader, notModified, withEtag } from '../../src/index.ts';
import { entryKey, gate, nextEvent } from '../helpers/cache.ts';
import {
  eachWithOrigin,
  entryOf,
  expire,
  namespace,
  type Options,
  open,
  origin,
  type Page,
  pageLoader,
} from '../helpers/etag-origin.ts';
import { connect } from '../helpers/redis.ts';
import { priceSchema } from '../helpers/schemas.ts';

eachWithOrigin();

describe('a loader with ETags', () => {
  test('is told none at first, then that of the stored value, which it may confirm', async () => {
    const page = pageLoader();
    const cache = await open(page);
    expect(await cache.get(page, 'a')).toEqual({ text: 'one' });
    const first = await entryOf(page);
    await expire(page);

    const meta = await cache.getWithMeta(page, 'a');

    expect(meta).toMatchObject({ value: { text: 'one' }, source: 'loader', state: 'fresh' });
    expect(meta.ttlMs).toBeGreaterThan(590_000);
    expect(origin.told).toEqual([undefined, '"1"']);
    expect(origin.full).toBe(1);
    const kept = await entryOf(page);
    expect(kept?.payload.equals(first?.payload as Buffer)).toBe(true);
    expect(kept?.extension).toEqual(first?.extension);
    expect(kept?.header.createdAtMs).toBeGreaterThan(first?.header.createdAtMs as number);
  });

  test('replaces value and ETag when the origin has changed', async () => {
    const page = pageLoader();
    const cache = await open(page);
    await cache.get(page, 'a');
    await expire(page);
    origin.change('two', '"2"');

    expect(await cache.get(page, 'a')).toEqual({ text: 'two' });
    await expire(page);
    expect(await cache.get(page, 'a')).toEqual({ text: 'two' });
    expect(origin.told).toEqual([undefined, '"1"', '"2"']);
  });

  test('is told none of a value that was set or answered without one', async () => {
    const page = pageLoader();
    const cache = await open(page);
    await cache.set(page, 'a', { text: 'set' });
    await expire(page);

    expect(await cache.get(page, 'a')).toEqual({ text: 'one' });
    expect(origin.told).toEqual([undefined]);
  });

  test.for<[string, Options]>([
    ['compressed by brotli', { compress: { algorithm: 'brotli', above: 10 } }],
    ['in JSON', { codec: 'json' }],
    [
      'by a codec of its own',
      {
        codec: {
          name: 'upper',
          encode: (value) => Buffer.from(JSON.stringify(value).toUpperCase()),
          decode: (bytes) => ({ text: JSON.parse(Buffer.from(bytes).toString()).TEXT }),
        },
      },
    ],
  ])('keeps a value %s as it stands', async ([, options]) => {
    origin.text = 'long '.repeat(100);
    const page = pageLoader(options);
    const cache = await open(page);
    const loaded = await cache.get(page, 'a');
    const before = await entryOf(page);
    await expire(page);

    expect(await cache.get(page, 'a')).toEqual(loaded);
    const after = await entryOf(page);
    expect(after?.payload.equals(before?.payload as Buffer)).toBe(true);
    expect(after?.extension).toEqual(before?.extension);
    if (after?.extension.compression)
      expect(() => brotliDecompressSync(after.payload)).not.toThrow();
    expect(await cache.getWithMeta(page, 'a')).toMatchObject({ value: loaded, source: 'redis' });
    expect(origin.full).toBe(1);
  });

  test('gives a confirmed value the ttl of its function', async () => {
    const ttl = (page: Page | null) => (page?.text === 'one' ? '1h' : '1s');
    const page = pageLoader({ ttl, nominalTtl: '1m' } as Options);
    const cache = await open(page);
    await cache.get(page, 'a');
    await expire(page);

    expect((await cache.getWithMeta(page, 'a')).ttlMs).toBeGreaterThan(3_500_000);
    expect(origin.full).toBe(1);
  });

  test('makes a softly invalidated value fresh again by confirming it', async () => {
    const page = pageLoader();
    const cache = await open(page);
    await cache.get(page, 'a');
    await cache.invalidate(page, 'a', { soft: true });
    const confirmed = nextEvent(cache, 'load:completed');

    expect(await cache.getWithMeta(page, 'a')).toMatchObject({ staleBecause: 'invalidated' });
    expect(await confirmed).toMatchObject({ reason: 'refresh', stored: true });

    expect(await cache.getWithMeta(page, 'a')).toMatchObject({ state: 'fresh', source: 'redis' });
    expect((await entryOf(page))?.header.invalidated).toBe(false);
    expect(origin.told).toEqual([undefined, '"1"']);
  });

  test('is asked anew, without an ETag, when its entry goes before it is asked', async () => {
    const page = pageLoader();
    const cache = await open(page);
    await cache.get(page, 'a');
    await connect().del(entryKey(namespace, page, 'a'));

    expect(await cache.get(page, 'a')).toEqual({ text: 'one' });
    expect(origin.told).toEqual([undefined, undefined]);
  });

  test('keeps what it confirms even if the entry is evicted meanwhile', async () => {
    const held = gate();
    const page = pageLoader({
      load: async (_id, { etag }) => {
        const answer = origin.answer(etag);
        if (etag !== undefined) await held.opened;
        return answer;
      },
    });
    const cache = await open(page);
    await cache.get(page, 'a');
    await expire(page);
    const reading = cache.getWithMeta(page, 'a');
    await expect.poll(() => origin.told).toEqual([undefined, '"1"']);
    await connect().del(entryKey(namespace, page, 'a'));
    held.open();

    expect(await reading).toMatchObject({ value: { text: 'one' }, state: 'fresh' });
    expect(await cache.getWithMeta(page, 'a')).toMatchObject({
      value: { text: 'one' },
      source: 'redis',
    });
  });

  test('does not bring back a value that was invalidated while it confirms it', async () => {
    const held = gate();
    const page = pageLoader({
      load: async (_id, { etag }) => {
        const answer = origin.answer(etag);
        if (etag !== undefined) await held.opened;
        return answer;
      },
    });
    const cache = await open(page);
    await cache.get(page, 'a');
    await expire(page);
    const reading = cache.get(page, 'a');
    await expect.poll(() => origin.told).toEqual([undefined, '"1"']);
    origin.change('two', '"2"');
    await cache.invalidate(page, 'a');
    held.open();

    expect(await reading).toEqual({ text: 'two' });
    expect(origin.told).toEqual([undefined, '"1"', undefined]);
  });

  test('fails clearly when it confirms without an ETag', async () => {
    const page = pageLoader({ load: async () => notModified() });
    const cache = await open(page);

    await expect(cache.get(page, 'a')).rejects.toMatchObject({
      code: 'LOADER_FAILED',
      message:
        'loader "page" failed for key a: answered notModified(), but its context had no etag',
    });
  });

  test('that finds nothing with an ETag may confirm that too', async () => {
    const told: (string | undefined)[] = [];
    const page = defineLoader({
      name: 'page',
      ttl: '10m',
      notFoundTtl: '1m',
      schema: priceSchema,
      load: async (_id: string, { etag }) => {
        told.push(etag);
        return etag === undefined ? withEtag(undefined, '"gone"') : notModified();
      },
    });
    const cache = await open(page);
    expect(await cache.get(page, 'a')).toBeUndefined();
    await expire(page);

    const meta = await cache.getWithMeta(page, 'a');
    expect(meta).toMatchObject({ value: undefined, state: 'fresh' });
    expect(meta.ttlMs).toBeLessThanOrEqual(60_000);
    expect(told).toEqual([undefined, '"gone"']);
  });

  test('with tags: what it confirms is still found by them', async () => {
    const page = pageLoader({ tags: () => ['pages'] });
    const cache = await open(page);
    await cache.get(page, 'a');
    await expire(page);
    await cache.get(page, 'a');

    expect(await cache.invalidateTags('pages')).toBe(1);
    await cache.get(page, 'a');
    expect(origin.told).toEqual([undefined, '"1"', undefined]);
  });
});
