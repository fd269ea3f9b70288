import { setImmediate as turn } from 'node:timers/promises';
import { checkProduct, PRODUCTS, type Read } from './products.ts';

export interface Pace {
  readonly inFlight: number;
  readonly ms: number;
  /**
   * Reads between two turns of the event loop, for reads that need none by themselves: without turns no
   * timer would fire, and looking at the clock after each would be a good part of what is measured.
   */
  readonly burst?: number;
}

/** So many reads in so much time. */
export interface Count {
  readonly reads: number;
  readonly ms: number;
}

export async function readsPerSecond(read: Read, pace: Pace): Promise<number> {
  const { reads, ms } = await countReads(read, pace);
  return (reads * 1_000) / ms;
}

/** Reads with so many loops that each await their read and look at what they got. */
export async function countReads(read: Read, pace: Pace): Promise<Count> {
  const { inFlight, burst } = pace;
  const startedAtMs = performance.now();
  const endAtMs = startedAtMs + pace.ms;
  let reads = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < endAtMs) {
      for (let left = burst ?? 1; left > 0; left--) {
        const id = reads++ % PRODUCTS;
        checkProduct(await read(id), id);
      }
      if (burst !== undefined) await turn();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return { reads, ms: performance.now() - startedAtMs };
}

/** Reads every product once. */
export async function readAll(read: Read): Promise<void> {
  for (let id = 0; id < PRODUCTS; id++) checkProduct(await read(id), id);
}
