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

/** From here on all reads must be hits: the answer, called afterwards, refuses those that had to load. */
export function expectHits(...sides: readonly { readonly loads: number }[]): () => void {
  const before = sides.map(({ loads }) => loads);
  return () => {
    const misses = sides.reduce((sum, { loads }, at) => sum + loads - (before[at] ?? 0), 0);
    if (misses > 0) throw new Error(`${misses} reads of the benchmark were no hits`);
  };
}
