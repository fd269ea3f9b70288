import { describe, expect, test } from 'vitest';
import { type Cache, defineLoader } from '../../src/index.ts';
import { openCache } from '../helpers/cache.ts';

describe('set with a ttl of its own', () => {
  const flash = defineLoader({
    name: 'flash',
    ttl: (value: { seconds: number } | null, id: string) =>
      id === 'short' ? 200 : (value?.seconds ?? 1) * 1_000,
    nominalTtl: '1m',
    staleIfError: 0,
    load: async (id: string) => ({ id, seconds: 30 }),
  });
  const leftMs = async (cache: Cache, id: string): Promise<number> =>
    (await cache.getWithMeta(flash, id)).ttlMs;

  test('lives for what the function makes of value and params', async () => {
    const cache = await openCache({ loaders: [flash] });

    await cache.setMany(flash, [
      ['long', { id: 'long', seconds: 3_600 }],
      ['short', { id: 'short', seconds: 3_600 }],
    ]);
    expect(await leftMs(cache, 'long')).toBeGreaterThan(3_500_000);
    await expect.poll(async () => (await cache.getWithMeta(flash, 'short')).value.seconds).toBe(30);
    expect(await leftMs(cache, 'loaded')).toBeLessThanOrEqual(30_000);
    expect(await leftMs(cache, 'loaded')).toBeGreaterThan(20_000);
  });

  test('is refused when the function fails, and what is there stays', async () => {
    const cache = await openCache({ loaders: [flash] });
    await cache.set(flash, 'a', { id: 'a', seconds: 60 });

    await expect(cache.set(flash, 'a', { id: 'a', seconds: -1 })).rejects.toMatchObject({
      message: expect.stringMatching(/^`loader "flash": ttl\(value, params\)` \(-1000\)/),
    });
    expect(await cache.getWithMeta(flash, 'a')).toMatchObject({
      source: 'redis',
      value: { seconds: 60 },
    });
  });
});

describe('setMany', () => {
  test.for([
    ['cannot be packed', { at: Symbol('b') }, 'CODEC_FAILED'],
    ['is undefined', undefined as never, 'INVALID_OPTION'],
  ] as const)('sets nothing where a value %s', async ([, value, code]) => {
    const item = defineLoader({
      name: 'item',
      ttl: '1m',
      load: async (_id: string): Promise<unknown> => 0,
    });
    const cache = await openCache({ loaders: [item] });

    const setting = cache.setMany(item, [
      ['a', 1],
      ['b', value],
    ]);

    await expect(setting).rejects.toMatchObject({ code });
    expect(await cache.getMany(item, ['a', 'b'])).toEqual([0, 0]);
  });

  test('of nothing sets nothing', async () => {
    const item = defineLoader({ name: 'item', ttl: '1m', load: async (_id: string) => 0 });
    const cache = await openCache({ loaders: [item] });
    await cache.setMany(item, []);
  });
});
