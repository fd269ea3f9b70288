import { describe, expect, test } from 'vitest';
import { entryBytes, entryKey, nextEvent, openCache, recorded } from '../helpers/cache.ts';
import {
  eachWithLoads,
  gated,
  held,
  loads,
  namespace,
  old,
  open,
  plantExpired,
  why,
} from '../helpers/expired.ts';
import { connect } from '../helpers/redis.ts';

eachWithLoads();

describe('an expired value within staleIfError', () => {
  test('answers for a load that times out, once told for each reader', async () => {
    const item = gated({ loadTimeout: 50 });
    await plantExpired(item, 1_000);
    const cache = await open(item);
    const served = recorded(cache, 'stale:served');

    const metas = await Promise.all([cache.getWithMeta(item, 'a'), cache.getWithMeta(item, 'a')]);

    expect(metas).toMatchObject([old('load-failed'), old('load-failed')]);
    expect(why(served)).toEqual(['load-failed', 'load-failed']);
    expect(loads).toEqual(['a']);
  });

  test('answers while another process holds the lock for too long', async () => {
    const item = gated();
    await plantExpired(item, 1_000);
    const cache = await open(item);
    const served = recorded(cache, 'stale:served');
    await connect().set(`${entryKey(namespace, item, 'a')}:lock`, 'hung', 'PX', 60_000);

    expect(await cache.getWithMeta(item, 'a')).toMatchObject(old('lock-held'));
    expect(why(served)).toEqual(['lock-held']);
    expect(loads).toEqual([]);
  });

  test('answers one who joins a load that has nothing to stand in', async () => {
    const item = gated({}, { isDown: true });
    const cache = await open(item);
    const missing = cache.getWithMeta(item, 'a').catch((error: unknown) => error);
    await expect.poll(() => loads).toEqual(['a']);
    await plantExpired(item, 1_000);
    const missed = nextEvent(cache, 'entry:missed');
    const joining = cache.getWithMeta(item, 'a');
    expect(await missed).toMatchObject({ cause: 'expired' });
    held.open();

    expect(await missing).toMatchObject({ code: 'LOADER_FAILED' });
    expect(await joining).toMatchObject(old('load-failed'));
  });

  test('that was replaced by one expired later while a reader waits is not the one to answer', async () => {
    const origin = { isDown: true };
    const item = gated({ staleIfError: '30s' }, origin);
    await plantExpired(item, 20_000);
    const cache = await open(item);
    const redis = connect();
    const lockKey = `${entryKey(namespace, item, 'a')}:lock`;
    await redis.set(lockKey, 'another', 'PX', 60_000);
    const reading = cache.getWithMeta(item, 'a');
    await expect.poll(() => redis.get(lockKey)).toBe('another=\n'); // It waits.
    const newer = entryBytes('a newer', { expiresAtMs: Date.now() - 1_000 });
    await redis.set(entryKey(namespace, item, 'a'), newer, 'PX', 60_000);
    await redis.del(lockKey);
    held.open();

    expect(await reading).toMatchObject({ value: 'a newer', staleBecause: 'load-failed' });
  });
});

test('no value is answered past its life and the staleness allowed, whatever its ages', async () => {
  const lives = [
    { name: 'l1', staleWhileRevalidate: 0, staleIfError: 0 },
    { name: 'l2', staleWhileRevalidate: 3_000, staleIfError: 0 },
    { name: 'l3', staleWhileRevalidate: 0, staleIfError: 3_000 },
    { name: 'l4', staleWhileRevalidate: 3_000, staleIfError: 9_000 },
    { name: 'l5', staleIfError: 9_000, staleWhileRevalidate: 9_000, maxStaleness: 9_000 },
  ];
  held.open();
  const loaders = lives.map((life) => gated(life, { isDown: true }));
  const cache = await openCache({ namespace, loaders });
  for (const loader of loaders) {
    const { staleWhileRevalidateMs, staleIfErrorMs } = loader;
    for (const invalidated of [false, true]) {
      for (const agoMs of [-20_000, 0, 1_500, 4_500, 9_001, 30_000]) {
        const key = `${agoMs} ${invalidated}`;
        await plantExpired(loader, agoMs, { key, invalidated });
        const isAllowed = agoMs < Math.max(staleWhileRevalidateMs, staleIfErrorMs);
        const read = await cache.get(loader, key).catch((error: { code: string }) => error.code);
        const isServed = read === `${key} old`;
        expect({ key, name: loader.name, isServed }).toEqual({
          key,
          name: loader.name,
          isServed: agoMs < 0 || isAllowed,
        });
      }
    }
  }
});
