// Read hits from Redis through `cache.get`, recording on, against the least a reader without Everwarm does:
// GET of the same payload and its decoding. One process, one connection for each side.
import { Redis } from 'ioredis';
import { Packr } from 'msgpackr';
import { startEmbeddedRedis } from '../src/dev/embedded-redis.ts';
import { type Cache, createCache, defineLoader } from '../src/index.ts';
import { decodeEntry } from '../src/redis/entry.ts';
import { Keys } from '../src/redis/keys.ts';
import { alternate, type Side } from './alternate.ts';
import { type BenchOptions, benchCommand, wholeNumberFrom } from './options.ts';
import { formatTable, say } from './report.ts';

const NAMESPACE = 'bench-read';
const KEYS = 1_000;
const IN_FLIGHT = 64;

interface Product {
  readonly id: number;
  readonly title: string;
  readonly variants: readonly object[];
}

type Read = (id: number) => Promise<Product>;

interface ReadOptions extends BenchOptions {
  readonly ms: number;
}

let loads = 0;
const product = defineLoader({
  name: 'product',
  ttl: '1h',
  load: (id: number): Product => {
    loads++;
    return makeProduct(id);
  },
});

/** About 3 KB as msgpack, 6 KB as JSON: what an API answers. */
function makeProduct(id: number): Product {
  const variants = Array.from({ length: 36 }, (_, at) => ({
    id: id * 100 + at,
    sku: `SKU-${id}-${at}`,
    color: ['navy', 'charcoal', 'moss', 'rust'][at % 4],
    size: ['S', 'M', 'L', 'XL'][at % 4],
    priceCents: 4_990 + at * 10,
    stock: (id + at * 7) % 40,
    warehouse: `eu-central-${at % 3}`,
    image: `https://cdn.example.com/img/${id}/${at}.webp`,
  }));
  return { id, title: 'Merino base layer, long sleeve', variants };
}

/** Reads per second with so many loops that each await their read. */
async function readsPerSecond(read: Read, inFlight: number, ms: number): Promise<number> {
  const startedAtMs = performance.now();
  const endAtMs = startedAtMs + ms;
  let reads = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < endAtMs) {
      const id = reads++ % KEYS;
      const { id: found, variants } = await read(id);
      if (found !== id || variants.length === 0) throw new Error(`product ${id} read as ${found}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return (reads * 1_000) / (performance.now() - startedAtMs);
}

/** The bytes each side decodes are the same: the payload of an entry stands alone under another key. */
async function prefill(cache: Cache, redis: Redis): Promise<number> {
  const keys = new Keys(NAMESPACE);
  let payloadBytes = 0;
  for (let id = 0; id < KEYS; id++) {
    await cache.get(product, id);
    const stored = await redis.getBuffer(keys.entry(product, String(id)));
    const entry = stored && decodeEntry(stored);
    if (!entry) throw new Error(`product ${id} was not stored`);
    await redis.set(plainKey(id), entry.payload);
    payloadBytes += entry.payload.length;
  }
  return payloadBytes / KEYS;
}

function plainKey(id: number): string {
  return `plain:product:${id}`;
}

function bareRead(redis: Redis): Read {
  const packr = new Packr({ moreTypes: true });
  return async (id) => {
    const bytes = await redis.getBuffer(plainKey(id));
    if (!bytes) throw new Error(`product ${id} is gone`);
    return packr.unpack(bytes) as Product;
  };
}

async function checkHits(cache: Cache): Promise<void> {
  const sources = new Set<string>();
  for (let id = 0; id < KEYS; id++) sources.add((await cache.getWithMeta(product, id)).source);
  const isHit = sources.size === 1 && sources.has('redis');
  if (!isHit || loads !== KEYS) throw new Error(`not all hits: ${[...sources]}, ${loads} loads`);
}

interface Setting {
  readonly cache: Cache;
  readonly bare: Redis;
  readonly pipelined: Redis;
  readonly options: ReadOptions;
}

/** Medians of both sides at so many reads in flight. */
async function compare(setting: Setting, inFlight: number): Promise<Compared> {
  const { cache, bare, pipelined, options } = setting;
  const side = (name: string, read: Read): Side => ({
    name,
    run: () => readsPerSecond(read, inFlight, options.ms),
  });
  const sides = [
    side('cache.get', (id) => cache.get(product, id)),
    side('bare getBuffer + unpack', bareRead(bare)),
    side('the same, auto-pipelined', bareRead(pipelined)),
  ];
  const measured = await alternate(sides, options);
  const [, plain] = measured;
  const rows = measured.map(({ name, summary }) =>
    plain && name !== plain.name ? { name, summary, against: plain.summary } : { name, summary },
  );
  say(`\n${formatTable(`reads/s, ${inFlight} in flight`, rows)}`);
  const [everwarm = 0, median = 0] = measured.map(({ summary }) => Math.round(summary.median));
  return { everwarm, bare: median };
}

interface Compared {
  readonly everwarm: number;
  readonly bare: number;
}

async function run(url: string, options: ReadOptions): Promise<Compared> {
  const cache = createCache({ redis: url, namespace: NAMESPACE, loaders: [product] });
  const bare = new Redis(url);
  const pipelined = new Redis(url, { enableAutoPipelining: true });
  try {
    await cache.ready();
    const payloadBytes = Math.round(await prefill(cache, bare));
    await checkHits(cache);
    say(`${KEYS} products of ${payloadBytes} bytes as msgpack, rounds of ${options.ms} ms.`);
    say('Each side has one connection of its own, no TLS, on the same server; recording is on.');
    const setting = { cache, bare, pipelined, options };
    await compare(setting, 1);
    const compared = await compare(setting, IN_FLIGHT);
    if (loads !== KEYS) throw new Error(`${loads - KEYS} reads of the benchmark were no hits`);
    return compared;
  } finally {
    await cache.close();
    bare.disconnect();
    pipelined.disconnect();
  }
}

const options = benchCommand(
  'read',
  'Read hits from Redis, against a bare GET and its decoding.',
  21,
)
  .option('--ms <n>', 'length of a round, in ms', wholeNumberFrom(100), 400)
  .parse()
  .opts<ReadOptions>();
const server = await startEmbeddedRedis();
try {
  const redisHit = await run(server.url, options);
  if (options.json) say(JSON.stringify({ redisHit }));
} finally {
  await server.close();
}
