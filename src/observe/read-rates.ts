import type { AnyLoader } from '../loaders/define-loader.ts';
import { FleetReads, type ReadTotals } from '../redis/fleet-reads.ts';
import type { LoaderFactsParts } from './loader-facts.ts';

/** How a loader's reads in the whole fleet were answered over the last minute: shares of all, 0 to 1. */
export interface ReadRates {
  readonly readsPerSecond: number;
  /** By a copy in the process. */
  readonly memory: number;
  readonly redis: number;
  /** With a value past its time, without waiting. */
  readonly stale: number;
  /** Waited for a load, its own or another's. */
  readonly waited: number;
  readonly failed: number;
}

/** Reads how a loader's reads were answered; null: there were none. Rejects when Redis fails. */
export async function readRates(
  { queue, keys, clock }: LoaderFactsParts,
  loader: AnyLoader,
): Promise<ReadRates | null> {
  const { totals, spanMs } = await new FleetReads(queue, keys, loader).read(clock.now());
  return ratesOf(totals, spanMs);
}

/** What was found without a load. */
export function hitShareOf({ memory, redis, stale }: ReadRates): number {
  return memory + redis + stale;
}

function ratesOf(totals: ReadTotals, spanMs: number): ReadRates | null {
  const reads = Object.values(totals).reduce((sum, count) => sum + count, 0);
  if (reads === 0) return null;
  return {
    readsPerSecond: (1_000 * reads) / spanMs,
    memory: totals.memory / reads,
    redis: totals.redis / reads,
    stale: totals.stale / reads,
    waited: (totals.loader + totals.uncached) / reads,
    failed: totals.failed / reads,
  };
}
