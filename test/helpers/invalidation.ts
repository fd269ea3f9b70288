import { expect } from 'vitest';
import { type Cache, defineLoader, type Loader } from '../../src/index.ts';
import { decodeValue } from '../../src/redis/codec.ts';
import { decodeEntry } from '../../src/redis/entry.ts';
import { entryBytes, entryKey, type Gate, gate, openCache, recorded } from './cache.ts';
import { connect, uniqueNamespace } from './redis.ts';

/** Each kind of invalidation, of a key `a:1` that carries the tag `t`. */
export const KINDS: Readonly<
  Record<
    string,
    (scene: Pick<LoadScene, 'cache' | 'loader'>, soft: boolean) => Promise<number | boolean>
  >
> = {
  key: ({ cache, loader }, soft) => cache.invalidate(loader, 'a:1', { soft }),
  'many keys': ({ cache, loader }, soft) =>
    cache.invalidateMany(loader, ['b', 'a:1', 'a:1'], { soft }),
  tag: ({ cache }, soft) => cache.invalidateTags(['other', 't'], { soft }),
  pattern: ({ cache, loader }, soft) => cache.invalidatePattern(loader, 'a:?', { soft }),
  loader: ({ cache, loader }, soft) => cache.invalidateLoader(loader, { soft }),
  version: ({ cache, loader }, soft) => cache.invalidateLoader(loader, { version: 1, soft }),
  namespace: ({ cache }, soft) => cache.invalidateNamespace({ confirm: true, soft }),
  'another region': ({ cache, loader }, soft) =>
    cache.applyInvalidation({ kind: 'keys', loader: loader.name, keys: ['a:1'], soft }),
};

/** A key `a:1`, whose n-th load answers `value n` once its gate is open. */
export interface LoadScene {
  readonly namespace: string;
  readonly loader: Loader<string, string>;
  readonly cache: Cache;
  readonly gates: readonly Gate[];
  /** Puts an expired entry there, that a reader will load anew. */
  plantExpired(): Promise<void>;
  /** Begins a read that has to load, and resolves when its load runs. */
  read(): Promise<{ readonly answer: Promise<string> }>;
  /** Lets the n-th load answer; whether that was stored. */
  finish(n: number): Promise<boolean>;
  /** The entry in Redis. */
  entry(): Promise<{ readonly value: unknown; readonly invalidated: boolean } | null>;
}

export async function loadScene(): Promise<LoadScene> {
  const namespace = uniqueNamespace();
  const gates = Array.from({ length: 4 }, gate);
  let loads = 0;
  const loader = defineLoader({
    name: 'item',
    ttl: '1m',
    tags: () => ['t'],
    load: async (_id: string) => {
      const n = loads++;
      await gates[n]?.opened;
      return `value ${n}`;
    },
  });
  const cache = await openCache({ namespace, loaders: [loader] });
  const completed = recorded(cache, 'load:completed');
  const redis = connect();
  const place = entryKey(namespace, loader, 'a:1');
  return {
    namespace,
    loader,
    cache,
    gates,
    async plantExpired() {
      await cache.set(loader, 'a:1', 'old');
      const expired = { createdAtMs: Date.now() - 70_000, expiresAtMs: Date.now() - 10_000 };
      await redis.set(place, entryBytes('old', expired), 'PX', 50_000);
    },
    async read() {
      const before = loads;
      const answer = cache.get(loader, 'a:1');
      await expect.poll(() => loads, { interval: 1 }).toBe(before + 1);
      return { answer };
    },
    async finish(n) {
      const before = completed.length;
      gates[n]?.open();
      await expect.poll(() => completed.length, { interval: 1 }).toBe(before + 1);
      return completed[before]?.stored ?? false;
    },
    async entry() {
      const bytes = await redis.getBuffer(place);
      const found = bytes && decodeEntry(bytes);
      if (!found) return null;
      return { value: decodeValue(found.payload), invalidated: found.header.invalidated };
    },
  };
}
