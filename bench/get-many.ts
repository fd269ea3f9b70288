// 100 keys by one `getMany` against 100 awaited `get`s, all hits in Redis, on the same cache.
import { type Cache, createCache } from '../src/index.ts';
import { alternate, type Side } from './alternate.ts';
import { checkProduct, PRODUCTS, type Product, ProductSource } from './products.ts';
import { checkHits, expectHits, NAMESPACE, type ReadBench } from './read-bench.ts';
import { readAll } from './reads-per-second.ts';
import { formatTable, say } from './report.ts';

const BATCH = 100;

export interface GetMany {
  readonly batched: number;
  readonly single: number;
}

type ReadBatch = (ids: readonly number[]) => Promise<Product[]>;

/** Medians of keys per second. */
export async function measureGetMany({ redisUrl, options }: ReadBench): Promise<GetMany> {
  const source = new ProductSource();
  const { loader } = source;
  const cache = createCache({ redis: redisUrl, namespace: NAMESPACE, loaders: [loader] });
  try {
    await cache.ready();
    await readAll((id) => cache.get(loader, id));
    await checkHits(cache, loader, 'redis');
    const requireHits = expectHits(source);
    say(`\n${BATCH} keys at a time, hits in Redis; recording is on.`);
    const side = (name: string, read: ReadBatch): Side => ({
      name,
      run: () => keysPerSecond(read, options.ms),
    });
    const measured = await alternate(
      [
        side(`getMany of ${BATCH}`, (ids) => cache.getMany(loader, ids)),
        side(`${BATCH} awaited gets`, (ids) => getOneByOne(cache, loader, ids)),
      ],
      options,
    );
    requireHits();
    const [many, single] = measured;
    if (!many || !single) throw new Error('a side is missing');
    say(`\n${formatTable('keys/s', [{ ...many, against: single.summary }, single])}`);
    return {
      batched: Math.round(many.summary.median),
      single: Math.round(single.summary.median),
    };
  } finally {
    await cache.close();
  }
}

async function getOneByOne(
  cache: Cache,
  loader: ProductSource['loader'],
  ids: readonly number[],
): Promise<Product[]> {
  const products: Product[] = [];
  for (const id of ids) products.push(await cache.get(loader, id));
  return products;
}

async function keysPerSecond(read: ReadBatch, ms: number): Promise<number> {
  const startedAtMs = performance.now();
  const endAtMs = startedAtMs + ms;
  let keys = 0;
  while (performance.now() < endAtMs) {
    const ids = Array.from({ length: BATCH }, (_, at) => (keys + at) % PRODUCTS);
    const products = await read(ids);
    if (products.length !== BATCH)
      throw new Error(`${BATCH} keys gave ${products.length} products`);
    for (const [at, product] of products.entries()) checkProduct(product, ids[at] ?? Number.NaN);
    keys += BATCH;
  }
  return (keys * 1_000) / (performance.now() - startedAtMs);
}
