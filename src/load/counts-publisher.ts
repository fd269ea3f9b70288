import type { Clock } from '../core/clock.ts';
import type { Breakers } from '../redis/breakers.ts';
import { type Counts, FleetCounts, sumOf } from '../redis/fleet-counts.ts';
import type { Keys, NamedLoader } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';

export interface CountsPublisherParts {
  readonly queue: RedisClient;
  /** While the queue server is away nothing is sent, but for a probe now and then; absent: each time one try. */
  readonly breakers?: Breakers;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** One loader's counts, and how far they are told. */
interface Published {
  readonly sources: readonly Partial<Counts>[];
  readonly fleet: FleetCounts;
  /** On the node that has its slots too. */
  readonly nodeKey: string;
  told: Counts;
}

const EVERY_MS = 5_000;

/**
 * Adds what this process's reads and loads came to to the fleet's counts, one call a loader every 5 s if
 * there was any. What cannot be sent is dropped: told later, it would be of another time.
 */
export class CountsPublisher {
  readonly #parts: CountsPublisherParts;
  readonly #loaders: Published[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(parts: CountsPublisherParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.publish(), EVERY_MS).unref();
  }

  /** @param sources - go on counting; never reset */
  add(loader: NamedLoader, ...sources: readonly Partial<Counts>[]): void {
    const { queue, keys } = this.#parts;
    const fleet = new FleetCounts(queue, keys, loader);
    this.#loaders.push({ sources, fleet, nodeKey: keys.stats(loader), told: sumOf(sources) });
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
    const { sources, fleet, nodeKey, told } = loader;
    const since = sumOf(sources, told);
    if (Object.values(since).every((count) => count === 0)) return;
    loader.told = sumOf(sources);
    const add = (): Promise<void> => fleet.add(since, nowMs);
    const { breakers } = this.#parts;
    // Its breaker has reported what fails; without one, others on the same connection do.
    await (breakers ? breakers.guard(nodeKey, add) : add()).catch(() => undefined);
  }
}
