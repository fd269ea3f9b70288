import type { AnyLoader } from '../loaders/define-loader.ts';
import { type Counts, FleetCounts, READ_RESULTS } from '../redis/fleet-counts.ts';
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

/** What a loader's origin was asked for over the last minute, and how refreshes came in time. */
export interface LoadRates {
  /** Keys that the loader was called for, by whoever. */
  readonly loadsPerSecond: number;
  /** Refreshes by workers that were stored. */
  readonly landedPerSecond: number;
  /** Those of them that landed after expiry. */
  readonly late: number;
  /** Mean of the lives that were left when the others landed; null: there were none. */
  readonly leadMs: number | null;
}

export interface FleetRates {
  /** Null: nobody has read it in the last minute. */
  readonly reads: ReadRates | null;
  readonly loads: LoadRates;
}

/** Reads how a loader's reads were answered and what was loaded for them. Rejects when Redis fails. */
export async function readFleetRates(
  { queue, keys, clock }: LoaderFactsParts,
  loader: AnyLoader,
): Promise<FleetRates> {
  const { totals, spanMs } = await new FleetCounts(queue, keys, loader).read(clock.now());
  return { reads: readRates(totals, spanMs), loads: loadRates(totals, spanMs) };
}

/** What was found without a load. */
export function hitShareOf({ memory, redis, stale }: ReadRates): number {
  return memory + redis + stale;
}

function readRates(totals: Counts, spanMs: number): ReadRates | null {
  const reads = READ_RESULTS.reduce((sum, result) => sum + totals[result], 0);
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

function loadRates({ loads, landed, late, leadMs }: Counts, spanMs: number): LoadRates {
  return {
    loadsPerSecond: (1_000 * loads) / spanMs,
    landedPerSecond: (1_000 * landed) / spanMs,
    late,
    leadMs: landed > late ? leadMs / (landed - late) : null,
  };
}
