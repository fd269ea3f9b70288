import type { Cache } from '../src/index.ts';
import type { BenchOptions } from './options.ts';
import type { PeerPackages } from './peer-packages.ts';
import { PRODUCTS, type ProductSource } from './products.ts';

export const NAMESPACE = 'bench-read';

export interface ReadOptions extends BenchOptions {
  /** Length of a round. */
  readonly ms: number;
}

/** What every part of the read benchmark runs with. */
export interface ReadBench {
  readonly redisUrl: string;
  readonly peers: PeerPackages;
  readonly options: ReadOptions;
}

/** Refuses to measure what would not be a hit in this tier. */
export async function checkHits(
  cache: Cache,
  loader: ProductSource['loader'],
  tier: 'memory' | 'redis',
): Promise<void> {
  const sources = new Set<string>();
  for (let id = 0; id < PRODUCTS; id++) sources.add((await cache.getWithMeta(loader, id)).source);
  if (sources.size !== 1 || !sources.has(tier)) {
    throw new Error(
      `not all reads were answered from ${tier}, but from ${[...sources].join(', ')}`,
    );
  }
}

/** Refuses figures of reads that had to load: after the first load of each product all must be hits. */
export function checkLoads(...sides: readonly { readonly loads: number }[]): void {
  for (const { loads } of sides) {
    if (loads > PRODUCTS)
      throw new Error(`${loads - PRODUCTS} reads of the benchmark were no hits`);
  }
}
