// Read hits from Redis through `cache.get`, recording on, against the least a reader without Everwarm does
// (GET of the same payload and its decoding) and against bentocache. One connection for each side.
import { Redis } from 'ioredis';
import { Packr } from 'msgpackr';
import { createCache } from '../src/index.ts';
import { decodeEntry } from '../src/redis/entry.ts';
import { Keys } from '../src/redis/keys.ts';
import { alternate, type Measured, type Side } from './alternate.ts';
import { Bentocache } from './bentocache.ts';
import { PRODUCTS, type Product, ProductSource, peerKey, type Read } from './products.ts';
import { checkHits, expectHits, NAMESPACE, type ReadBench } from './read-bench.ts';
import { readAll, readsPerSecond } from './reads-per-second.ts';
import { formatTable, say } from './report.ts';

const IN_FLIGHT = 64;

export interface RedisHit {
  readonly everwarm: number;
  readonly bare: number;
  readonly bentocache: number;
}

/** Medians of Redis hits per second with 64 reads in flight; prints those of a lone reader too. */
export async function measureRedisHits(bench: ReadBench): Promise<RedisHit> {
  const { redisUrl, peers } = bench;
  const source = new ProductSource();
  const { loader } = source;
  const cache = createCache({ redis: redisUrl, namespace: NAMESPACE, loaders: [loader] });
  const bare = new Redis(redisUrl);
  const pipelined = new Redis(redisUrl, { enableAutoPipelining: true });
  const prefix = 'bench-redis';
  const bento = await Bentocache.open(peers, { redisUrl, prefix });
  const pipelinedBento = await Bentocache.open(peers, { redisUrl, prefix, autoPipelining: true });
  try {
    await cache.ready();
    await readAll((id) => cache.get(loader, id));
    const payloadBytes = Math.round(await prefillPlain(bare, loader));
    await readAll(bento.read);
    await checkHits(cache, loader, 'redis');
    const requireHits = expectHits(source, bento, pipelinedBento);
    say(`\nHits in Redis: ${PRODUCTS} products of ${payloadBytes} bytes as msgpack.`);
    say('Each side has one connection of its own, no TLS, on the same server; recording is on.');
    const reads: readonly Named[] = [
      ['cache.get', (id) => cache.get(loader, id)],
      ['bare getBuffer + unpack', bareRead(bare)],
      ['the same, auto-pipelined', bareRead(pipelined)],
      ['bentocache, Redis only', bento.read],
      ['the same, auto-pipelined', pipelinedBento.read],
    ];
    await compare(reads, { inFlight: 1, bench });
    const compared = await compare(reads, { inFlight: IN_FLIGHT, bench });
    const [everwarm = 0, plain = 0, , theirs = 0] = compared;
    requireHits();
    return { everwarm, bare: plain, bentocache: theirs };
  } finally {
    await cache.close();
    bare.disconnect();
    pipelined.disconnect();
    await bento.close();
    await pipelinedBento.close();
  }
}

type Named = readonly [name: string, read: Read];

async function compare(
  reads: readonly Named[],
  { inFlight, bench }: { readonly inFlight: number; readonly bench: ReadBench },
): Promise<number[]> {
  const { options } = bench;
  const sides = reads.map(([name, read]): Side => {
    return { name, run: () => readsPerSecond(read, { inFlight, ms: options.ms }) };
  });
  const measured = await alternate(sides, options);
  say(`\n${formatTable(`reads/s, ${inFlight} in flight`, againstBare(measured))}`);
  const medians = measured.map(({ summary }) => Math.round(summary.median));
  const [everwarm = 0, , , bentocache = 0] = medians;
  say(`cache.get at ${(everwarm / bentocache).toFixed(2)} x bentocache`);
  return medians;
}

function againstBare(measured: readonly Measured[]) {
  const [, bare] = measured;
  return measured.map((side) =>
    bare && side !== bare ? { ...side, against: bare.summary } : side,
  );
}

/** The bytes each side decodes are the same: the payload of an entry stands alone under another key. */
async function prefillPlain(redis: Redis, loader: ProductSource['loader']): Promise<number> {
  const keys = new Keys(NAMESPACE);
  let payloadBytes = 0;
  for (let id = 0; id < PRODUCTS; id++) {
    const stored = await redis.getBuffer(keys.entry(loader, String(id)));
    const entry = stored && decodeEntry(stored);
    if (!entry) throw new Error(`product ${id} was not stored`);
    await redis.set(plainKey(id), entry.payload);
    payloadBytes += entry.payload.length;
  }
  return payloadBytes / PRODUCTS;
}

function plainKey(id: number): string {
  return `plain:${peerKey(id)}`;
}

function bareRead(redis: Redis): Read {
  const packr = new Packr({ moreTypes: true });
  return async (id) => {
    const bytes = await redis.getBuffer(plainKey(id));
    if (!bytes) throw new Error(`product ${id} is gone`);
    return packr.unpack(bytes) as Product;
  };
}
