import type { CacheSettings } from '../config/options.ts';
import type { Clock } from '../core/clock.ts';
import type { Events } from '../core/events.ts';
import { CountsPublisher } from '../load/counts-publisher.ts';
import type { LoadCounts } from '../load/load-counts.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import type { Breakers } from '../redis/breakers.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { Tracker } from '../redis/tracker.ts';
import { AccessRecorder } from './access-recorder.ts';
import { MemoryTier } from './memory-tier.ts';
import { ReadCounts } from './read-counts.ts';

/** What this process has of a loader. */
export interface LocalLoader {
  readonly loader: AnyLoader;
  readonly tracker: Tracker;
  /** Null: no in-process tier. */
  readonly tier: MemoryTier | null;
  /** Null: its reads are not counted. */
  readonly recorder: AccessRecorder | null;
  /** Null: nobody is told what its reads came to. */
  readonly counts: ReadCounts | null;
}

export interface LocalLoadersParts
  extends Pick<
    CacheSettings,
    'recording' | 'recordRate' | 'flushIntervalMs' | 'maxPendingKeys' | 'memory'
  > {
  readonly queue: RedisClient;
  readonly breakers: Breakers;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly events: Events;
  /** Makes the counts of one loader's reads that metrics are made of; null: without metrics. */
  readonly countsOf: ((loader: string) => ReadCounts) | null;
  readonly loads: LoadCounts;
}

/** The loaders of this process, each with its tracker, its tier and the count of its reads. */
export class LocalLoaders {
  readonly #parts: LocalLoadersParts;
  readonly #byLoader = new Map<object, LocalLoader>();
  readonly #byName = new Map<string, LocalLoader>();
  readonly #publisher: CountsPublisher | null;

  constructor(parts: LocalLoadersParts) {
    this.#parts = parts;
    this.#publisher = parts.recording ? new CountsPublisher(parts) : null;
  }

  get byName(): ReadonlyMap<string, LocalLoader> {
    return this.#byName;
  }

  get(loader: object): LocalLoader | undefined {
    return this.#byLoader.get(loader);
  }

  add(loader: AnyLoader): void {
    const { queue, keys, memory, recording, countsOf, loads, ...shared } = this.#parts;
    const tracker = new Tracker(queue, keys, loader);
    const settings = loader.memory === undefined ? memory : loader.memory;
    const isTracked = recording && !loader.refresh.isOff;
    const counts = countsOf?.(loader.name) ?? (recording ? new ReadCounts() : null);
    if (counts !== null) this.#publisher?.add(loader, counts, loads.of(loader.name));
    const local = {
      loader,
      tracker,
      tier: settings && new MemoryTier(settings),
      recorder: isTracked
        ? new AccessRecorder({ random: Math.random, ...shared, tracker, loader })
        : null,
      counts,
    };
    this.#byLoader.set(loader, local);
    this.#byName.set(loader.name, local);
  }

  /** Sends what was counted. */
  async close(): Promise<void> {
    const recorders = [...this.#byName.values()].map(({ recorder }) => recorder?.close());
    await Promise.all([...recorders, this.#publisher?.close()]);
  }
}
