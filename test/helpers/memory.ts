import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { type Cache, defineLoader, type Loader, type MemoryOptions } from '../../src/index.ts';
import { Keys } from '../../src/redis/keys.ts';

/** Longer than any test: what is gone from memory sooner is not gone by its ttl. */
export const HELD_LONG: MemoryOptions = { maxEntries: 100, ttl: '1h' };

/** Resolves when so many caches listen to the bus of a namespace. */
export async function hearing(redis: Redis, namespace: string, caches = 1): Promise<void> {
  const channel = new Keys(namespace).bus();
  const count = async (): Promise<unknown> => (await redis.pubsub('NUMSUB', channel))[1];
  await expect.poll(count, { interval: 5 }).toBe(caches);
}

/** Reads a key until this process answers from memory; answers its value. */
export async function held<R>(cache: Cache, loader: Loader<string, R>, key: string): Promise<R> {
  const read = (): ReturnType<typeof cache.getWithMeta<string, R>> =>
    cache.getWithMeta(loader, key);
  const source = async (): Promise<string> => (await read()).source;
  await expect.poll(source, { interval: 5, timeout: 10_000 }).toBe('memory');
  return (await read()).value;
}

/** A loader with a tier, of a value that changes when its origin does. */
export function heldItem(memory: MemoryOptions = HELD_LONG) {
  const origin = { value: 'old' };
  const loader = defineLoader({
    name: 'item',
    ttl: '10m',
    tags: () => ['t'],
    memory,
    load: async (_id: string) => origin.value,
  });
  return { origin, loader };
}

/** Ends every connection by which a cache listens. */
export async function killBuses(redis: Redis): Promise<number> {
  const lines = String(await redis.client('LIST')).split('\n');
  const ids = lines.flatMap((line) => {
    return line.includes(' name=everwarm:cache:bus ') ? [/^id=(\d+)/.exec(line)?.[1] ?? ''] : [];
  });
  for (const id of ids) await redis.client('KILL', 'ID', id);
  return ids.length;
}
