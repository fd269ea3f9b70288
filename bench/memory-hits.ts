// Read hits in the in-process tier, recording on, against bentocache's with the same two tiers and against
// the least there is: an async function around an LRU cache.
import { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { createCache } from '../src/index.ts';
import { alternate, type Side } from './alternate.ts';
import { Bentocache } from './bentocache.ts';
import {
  makeProduct,
  PRODUCTS,
  type Product,
  ProductSource,
  peerKey,
  type Read,
} from './products.ts';
import { checkHits, expectHits, NAMESPACE, type ReadBench } from './read-bench.ts';
import { readAll, readsPerSecond } from './reads-per-second.ts';
import { formatTable, say } from './report.ts';

const MAX_ENTRIES = 10_000;
/** About a fifth of a millisecond of the fastest side. */
const BURST = 1_000;

export interface MemoryHit {
  readonly everwarm: number;
  readonly bentocache: number;
  readonly lruCache: number;
}

/** Medians of in-process hits per second, one read after the other. */
export async function measureMemoryHits({
  redisUrl,
  peers,
  options,
}: ReadBench): Promise<MemoryHit> {
  const source = new ProductSource();
  const { loader } = source;
  const cache = createCache({
    redis: redisUrl,
    namespace: NAMESPACE,
    loaders: [loader],
    memory: { maxEntries: MAX_ENTRIES, ttl: '10s' },
  });
  const memory = { maxItems: MAX_ENTRIES };
  const bento = await Bentocache.open(peers, { redisUrl, prefix: 'bench-memory', memory });
  const unserialized = await Bentocache.open(peers, {
    redisUrl,
    prefix: 'bench-objects',
    memory: { ...memory, serialize: false },
  });
  const read: Read = (id) => cache.get(loader, id);
  try {
    await cache.ready();
    for (const fill of [read, bento.read, unserialized.read]) await readAll(fill);
    await checkHits(cache, loader, 'memory');
    const requireHits = expectHits(source, bento, unserialized);
    await checkInProcess(redisUrl, [bento, unserialized]);
    say('\nHits in the in-process tier, one read after the other; recording is on.');
    const side = (name: string, one: Read): Side => ({
      name,
      run: async () => {
        await readAll(one); // What has run out meanwhile comes back before the round.
        return readsPerSecond(one, { inFlight: 1, ms: options.ms, burst: BURST });
      },
    });
    const measured = await alternate(
      [
        side('cache.get, memory + Redis', read),
        side('bentocache, memory + Redis', bento.read),
        side('the same, serialize: false', unserialized.read),
        side('async () => lru.get(key)', lruRead()),
      ],
      options,
    );
    requireHits();
    const lru = measured.at(-1);
    const rows = measured.map((one) =>
      lru && one !== lru ? { ...one, against: lru.summary } : one,
    );
    say(`\n${formatTable('reads/s', rows)}`);
    const [everwarm = 0, bentocache = 0, objects = 0, lruCache = 0] = measured.map(({ summary }) =>
      Math.round(summary.median),
    );
    say(`cache.get at ${(everwarm / bentocache).toFixed(2)} x bentocache`);
    say(`         and ${(everwarm / objects).toFixed(2)} x bentocache with serialize: false`);
    return { everwarm, bentocache, lruCache };
  } finally {
    await cache.close();
    await bento.close();
    await unserialized.close();
  }
}

function lruRead(): Read {
  const lru = new LRUCache<string, Product>({ max: MAX_ENTRIES });
  for (let id = 0; id < PRODUCTS; id++) lru.set(peerKey(id), makeProduct(id));
  return async (id) => lru.get(peerKey(id)) as Product;
}

/** Refuses to measure a bentocache that asks Redis. */
async function checkInProcess(redisUrl: string, caches: readonly Bentocache[]): Promise<void> {
  const redis = new Redis(redisUrl);
  const calls = async (): Promise<string> =>
    /cmdstat_get:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? '0';
  const before = await calls();
  for (const { read } of caches) await readAll(read);
  const after = await calls();
  redis.disconnect();
  if (after !== before) throw new Error(`bentocache asked Redis ${before} and then ${after} times`);
}
