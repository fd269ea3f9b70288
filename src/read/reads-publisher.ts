import type { Clock } from '../core/clock.ts';
import type { Breakers } from '../redis/breakers.ts';
import { FleetReads, READ_RESULTS, type ReadTotals } from '../redis/fleet-reads.ts';
import type { Keys, NamedLoader } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';

export interface ReadsPublisherParts {
  readonly queue: RedisClient;
  /** While the queue server is away nothing is sent, but for a probe now and then. */
  readonly breakers: Breakers;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** One loader's counts, and how far they are told. */
interface Published {
  readonly counts: ReadTotals;
  readonly fleet: FleetReads;
  /** On the node that has its slots too. */
  readonly nodeKey: string;
  told: ReadTotals;
}

const EVERY_MS = 5_000;

/**
 * Adds what this process's reads came to to the fleet's counts, one call a loader every 5 s if it was read.
 * What cannot be sent is dropped: told later, it would be of another time.
 */
export class ReadsPublisher {
  readonly #parts: ReadsPublisherParts;
  readonly #loaders: Published[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(parts: ReadsPublisherParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.publish(), EVERY_MS).unref();
  }

  /** @param counts - goes on counting; never reset */
  add(loader: NamedLoader, counts: ReadTotals): void {
    const { queue, keys } = this.#parts;
    const fleet = new FleetReads(queue, keys, loader);
    this.#loaders.push({ counts, fleet, nodeKey: keys.stats(loader), told: totalsOf(counts) });
  }

  /** Sends what has come since the last time; never rejects. */
  async publish(): Promise<void> {
    const nowMs = this.#parts.clock.now();
    await Promise.all(this.#loaders.map((loader) => this.#publishOne(loader, nowMs)));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.publish();
  }

  async #publishOne(loader: Published, nowMs: number): Promise<void> {
    const { counts, fleet, nodeKey, told } = loader;
    const since = totalsOf(counts, told);
    if (READ_RESULTS.every((result) => since[result] === 0)) return;
    loader.told = totalsOf(counts);
    // Its breaker has reported what fails.
    await this.#parts.breakers.guard(nodeKey, () => fleet.add(since, nowMs)).catch(() => undefined);
  }
}

/** A copy of the counts, less what is told already. */
function totalsOf(counts: ReadTotals, told?: ReadTotals): ReadTotals {
  const entries = READ_RESULTS.map((result) => [result, counts[result] - (told?.[result] ?? 0)]);
  return Object.fromEntries(entries) as ReadTotals;
}
