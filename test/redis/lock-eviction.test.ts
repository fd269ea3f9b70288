import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { EntryStore } from '../../src/redis/entry-store.ts';
import { ownServer } from '../helpers/cache.ts';
import { connect } from '../helpers/redis.ts';

const LOCKS = 200;
const LIFE_MS = 60_000;
const PRESSURE_MS = 1_500;

/** Writes values of 1 KB that nobody reads again. */
async function press(redis: Redis, prefix: string, count: number): Promise<void> {
  const pipeline = redis.pipeline();
  for (let n = 0; n < count; n++) pipeline.set(`${prefix}:${n}`, 'x'.repeat(1_024), 'PX', LIFE_MS);
  await pipeline.exec();
}

async function surviving(redis: Redis, keys: readonly string[]): Promise<number> {
  return redis.exists(...keys);
}

test('locks outlive the writes of a full allkeys-lfu server, which evicts keys as young as they', async () => {
  const server = await ownServer('--maxmemory', '8mb', '--maxmemory-policy', 'allkeys-lfu');
  const redis = connect(server.url);
  const store = new EntryStore(redis);
  await press(redis, 'full', 8_000);
  const locks: string[] = [];
  const plain: string[] = [];
  for (let n = 0; n < LOCKS; n++) {
    const place = { entryKey: `{${n}}`, lockKey: `{${n}}:lock` };
    const request = {
      token: 'A',
      lockTtlMs: LIFE_MS,
      seenCreatedAtMs: 0,
      waitingSinceMs: Date.now(),
    };
    expect((await store.acquire(place, request)).kind).toBe('acquired');
    await redis.set(`plain:${n}`, 'A', 'PX', LIFE_MS);
    locks.push(place.lockKey);
    plain.push(`plain:${n}`);
  }

  // Not a wait: the writes themselves are what the locks have to outlive.
  const endMs = performance.now() + PRESSURE_MS;
  for (let round = 0; performance.now() < endMs; round++) await press(redis, `new-${round}`, 500);

  expect(await surviving(redis, locks)).toBe(LOCKS);
  expect(await surviving(redis, plain)).toBeLessThan(LOCKS * 0.75);
});
