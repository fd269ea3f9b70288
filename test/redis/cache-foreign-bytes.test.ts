import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Cache, defineLoader, type EventMap } from '../../src/index.ts';
import { decodeHeader, encodeEntry, HEADER_BYTES } from '../../src/redis/entry.ts';
import { entryBytes, entryKey, openCache, recorded } from '../helpers/cache.ts';
import { connect, uniqueNamespace } from '../helpers/redis.ts';

const item = defineLoader({ name: 'item', ttl: '1m', load: async (id: string) => `${id} loaded` });

let cache: Cache;
let redis: Redis;
let key: string;
let misses: EventMap['entry:missed'][];

beforeEach(async () => {
  const namespace = uniqueNamespace();
  key = entryKey(namespace, item, 'a');
  redis = connect();
  cache = await openCache({ namespace, loaders: [item] });
  misses = recorded(cache, 'entry:missed');
});

/** An entry with one byte changed. */
function damaged(at: number): Buffer {
  const bytes = entryBytes('damaged');
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
}

/** Right in every byte of its header and checksum; its payload ends in the middle of a map. */
function unpackable(): Buffer {
  const header = decodeHeader(entryBytes('any'));
  if (header === null) throw new Error('entryBytes makes entries');
  return encodeEntry(header, Buffer.from([0x82, 0xa1]));
}

describe('bytes that are not an entry of ours', () => {
  test.for([
    ['text of somebody else', Buffer.from('hello')],
    ['nothing at all', Buffer.alloc(0)],
    ['our magic and no more', Buffer.from('EW')],
    ['a header cut short', entryBytes('cut').subarray(0, HEADER_BYTES - 1)],
    ['an entry cut short', entryBytes('a longer value').subarray(0, HEADER_BYTES + 4)],
    ['an entry with a byte too many', Buffer.concat([entryBytes('long'), Buffer.from([0])])],
    ['an entry with a damaged payload', damaged(HEADER_BYTES + 1)],
    ['an entry with a damaged expiry', damaged(12)],
    ['an entry with a damaged checksum', damaged(33)],
    ['an entry with a flag that we do not know', damaged(3)],
    ['an entry of an unknown codec', damaged(36)],
    ['an entry whose payload cannot be unpacked', unpackable()],
  ] as const)('are a counted miss and replaced: %s', async ([, bytes]) => {
    await redis.set(key, bytes);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject({
      value: 'a loaded',
      source: 'loader',
      state: 'fresh',
    });
    expect(misses).toEqual([{ loader: 'item', key: 'a', cause: 'unreadable' }]);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({
      value: 'a loaded',
      source: 'redis',
    });
    expect(await redis.pttl(key)).toBeGreaterThan(0);
  });

  test('are a counted miss and replaced when they are of another Redis type', async () => {
    await redis.rpush(key, 'one', 'two');

    expect(await cache.get(item, 'a')).toBe('a loaded');
    expect(misses).toMatchObject([{ cause: 'absent' }]);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ source: 'redis' });
    expect(await redis.type(key)).toBe('string');
  });

  test('are removed and replaced by invalidate and set as well', async () => {
    await redis.sadd(key, 'member');
    await cache.set(item, 'a', 'set');
    expect(await cache.get(item, 'a')).toBe('set');

    await redis.set(key, 'hello');
    expect(await cache.invalidate(item, 'a')).toBe(true);
    expect(await redis.exists(key)).toBe(0);
  });
});

describe('an entry of a newer format', () => {
  function newer(): Buffer {
    const bytes = entryBytes('from the future');
    bytes[2] = 2;
    return bytes;
  }

  test('is a miss that is answered by the loader and never overwritten', async () => {
    const bytes = newer();
    await redis.set(key, bytes, 'PX', 60_000);

    const loaded = { value: 'a loaded', source: 'loader', state: 'uncached' };
    expect(await cache.getWithMeta(item, 'a')).toMatchObject(loaded);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject(loaded);
    expect(misses).toMatchObject([{ cause: 'unreadable' }, { cause: 'unreadable' }]);
    expect(await redis.getBuffer(key)).toEqual(bytes);
    expect(await redis.exists(`${key}:lock`)).toBe(0);
  });

  test('goes when it is invalidated', async () => {
    await redis.set(key, newer(), 'PX', 60_000);

    expect(await cache.invalidate(item, 'a')).toBe(true);
    expect(await cache.getWithMeta(item, 'a')).toMatchObject({ state: 'fresh' });
  });

  test('goes when a value is set that it would hide', async () => {
    await redis.set(key, newer(), 'PX', 60_000);

    await cache.set(item, 'a', 'set');

    expect(await redis.exists(key)).toBe(0);
  });
});
