import { resolveWorker, type WorkerOptions, type WorkerSettings } from './config/options.ts';
import type { Clock } from './core/clock.ts';
import { EverwarmError } from './core/errors.ts';
import { type EventName, Events, type Listener } from './core/events.ts';
import { type Health, healthOf } from './core/health.ts';
import { settlesWithin } from './core/lifecycle.ts';
import { Slots } from './core/slots.ts';
import { detached, type Tracing } from './core/tracing.ts';
import { CountsPublisher } from './load/counts-publisher.ts';
import { EntryTags } from './load/entry-tags.ts';
import { FencedLoad } from './load/fenced-load.ts';
import { LoadCounts } from './load/load-counts.ts';
import { Permits } from './load/permits.ts';
import type { AnyLoader } from './loaders/define-loader.ts';
import { LoaderRegistry, type WithLoaders } from './loaders/registry.ts';
import { RoleMetrics } from './metrics/role-metrics.ts';
import { RefreshProcessor } from './queue/refresh-processor.ts';
import { RefreshWorker } from './queue/refresh-worker.ts';
import { WarmProcessor } from './queue/warm-processor.ts';
import { WorkerTimes } from './queue/worker-times.ts';
import { openWorkerConnection } from './redis/connection.ts';
import { EntryStore } from './redis/entry-store.ts';
import { Keys } from './redis/keys.ts';
import { LiveVersions } from './redis/live-versions.ts';
import { LoaderStatsStore } from './redis/loader-stats.ts';
import { BEAT_MS, Presence } from './redis/presence.ts';
import type { RedisClient } from './redis/redis-client.ts';
import { RefreshPause } from './redis/refresh-pause.ts';
import { RoleServers } from './redis/role-servers.ts';
import { scriptClient } from './redis/scripts.ts';
import { silence } from './redis/server-answers.ts';
import { TagIndex } from './redis/tag-index.ts';
import { Tracker } from './redis/tracker.ts';
import { WarmReports } from './redis/warm-reports.ts';

/** A running worker. */
export interface RefreshWorkers {
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /**
   * Resolves once Redis has answered, or after 5 s without it.
   *
   * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable
   */
  ready(): Promise<void>;
  /**
   * Ready while both servers answer, and each of its loaders' queues was asked for jobs, or had one begun or ended, within the last
   * 15 s. A loader call that hangs leaves it ready, as long as there is room for others.
   */
  health(): Promise<Health>;
  /** Takes no more jobs, lets running loads finish within `grace`, aborts the rest, closes connections. */
  close(): Promise<void>;
}

/**
 * Starts refreshing keys of its loaders, as schedulers enqueue them.
 *
 * @example
 * ```ts
 * const worker = createWorker({ redis: 'redis://localhost:6379', loaders: [product] });
 * process.once('SIGTERM', () => worker.close());
 * ```
 * @throws InvalidOptionError naming the option, its value and the rule
 */
export function createWorker(options: WorkerOptions & WithLoaders): RefreshWorkers {
  return new WorkerRole(options);
}

class WorkerRole implements RefreshWorkers {
  readonly #settings: WorkerSettings;
  readonly #events = new Events();
  readonly #metrics: RoleMetrics | null;
  readonly #servers: RoleServers;
  readonly #fenced: FencedLoad;
  readonly #versions: LiveVersions;
  readonly #loads = new LoadCounts();
  readonly #publisher: CountsPublisher;
  readonly #times: WorkerTimes[] = [];
  readonly #beats: NodeJS.Timeout[] = [];
  #bullConnection: RedisClient | null = null;
  #workers: readonly RefreshWorker[] = [];
  readonly #ready: Promise<void>;
  #hasStarted = false;
  #closing: Promise<void> | null = null;

  constructor(options: WorkerOptions & WithLoaders) {
    const settings = resolveWorker(options);
    this.#settings = settings;
    const registry = new LoaderRegistry(options.loaders);
    const events = this.#events;
    this.#metrics = RoleMetrics.open(settings.metrics, 'worker', events);
    this.#servers = new RoleServers({ ...settings, name: 'worker', events });
    const { cache, queue, clock } = this.#servers;
    const store = new EntryStore(cache);
    const keys = new Keys(settings.namespace);
    const permits = new Permits({ scripts: scriptClient(queue), keys, clock, events });
    const tags = new EntryTags(new TagIndex(queue, keys, clock), clock);
    const { lockTtlMs } = settings;
    const tracing = this.#tracing;
    const loading = { store, clock, events, permits, tags, counts: this.#loads, spans: tracing };
    this.#fenced = new FencedLoad({ ...loading, lockTtlMs });
    this.#publisher = new CountsPublisher({ queue, keys, clock });
    this.#versions = new LiveVersions({ redis: queue, keys, clock, loaders: registry });
    const start = detached(tracing, () => this.#start(registry));
    this.#ready = this.#servers.ready().then(start);
    this.#ready.catch(() => undefined); // Refused: whoever awaits ready() sees it.
  }

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    return this.#events.on(name, listener);
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  async health(): Promise<Health> {
    if (this.#closing !== null) return healthOf(['it is closing']);
    if (!this.#hasStarted) return healthOf(['it has not started yet']);
    const { cache, queue } = this.#servers;
    const silences = await Promise.all([silence(cache, 'cache'), silence(queue, 'queue')]);
    return healthOf([...silences, ...this.#workers.map((worker) => worker.complaint())]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #tracing(): Tracing | null {
    return this.#metrics?.tracing ?? null;
  }

  #start(registry: LoaderRegistry): void {
    if (this.#closing !== null) return;
    this.#hasStarted = true;
    // Keys of the others are never enqueued.
    const refreshed = [...registry].filter(({ refresh }) => !refresh.isOff);
    if (refreshed.length === 0) return;
    const { redis, namespace } = this.#settings;
    const use = { role: 'queue', name: 'worker', events: this.#events } as const;
    const connection = openWorkerConnection(redis.queue, use);
    this.#bullConnection = connection;
    const keys = new Keys(namespace);
    this.#workers = refreshed.map((loader) => this.#startWorker(loader, keys, connection));
  }

  #startWorker(loader: AnyLoader, keys: Keys, connection: RedisClient): RefreshWorker {
    const { queue, clock } = this.#servers;
    const { concurrency } = this.#settings;
    const fenced = this.#fenced;
    const stats = new LoaderStatsStore(queue, keys, loader);
    const times = new WorkerTimes(stats, () => fenced.loadTime(loader.name));
    this.#times.push(times);
    const loads = this.#loads.of(loader.name);
    this.#publisher.add(loader, loads);
    this.#metrics?.begin('loader', loader.name);
    this.#beats.push(beating(new Presence(queue, keys, loader), clock));
    const shared = {
      loader,
      keys,
      fenced,
      tracker: new Tracker(queue, keys, loader),
      clock,
      events: this.#events,
      concurrency,
      loading: new Slots(concurrency),
      random: Math.random,
    };
    const processor = new RefreshProcessor({
      ...shared,
      stats,
      loads,
      times,
      pause: new RefreshPause(queue, keys, loader),
    });
    const warming = new WarmProcessor({ ...shared, reports: new WarmReports(queue, keys) });
    const tracing = this.#tracing;
    return new RefreshWorker({ ...shared, connection, processor, warming, tracing });
  }

  /** No grace where nothing uses it: no job runs, and there is no server to take leave of. */
  async #drainMs(): Promise<number> {
    const { graceMs } = this.#settings;
    if (this.#workers.some((worker) => worker.isBusy)) return graceMs;
    const isAway = (await silence(this.#servers.queue, 'queue')) !== null;
    return isAway ? 0 : graceMs;
  }

  async #close(): Promise<void> {
    const drained = Promise.all(this.#workers.map((worker) => worker.drain()));
    const isDrained = await settlesWithin(drained, await this.#drainMs());
    if (!isDrained) {
      const message = `the worker is closing and its grace (${this.#settings.graceMs} ms) is over`;
      this.#fenced.abortAll(new EverwarmError('LOAD_ABORTED', message));
      // Aborted loads end at once and give their keys back; what still hangs is left to the stall check.
      if (!(await settlesWithin(drained, ABORT_MS))) {
        const cut = Promise.all(this.#workers.map((worker) => worker.closeNow()));
        await settlesWithin(cut, ABORT_MS);
      }
    }
    for (const times of this.#times) times.close();
    for (const beat of this.#beats) clearInterval(beat);
    await settlesWithin(this.#publisher.close(), ABORT_MS);
    this.#versions.close();
    this.#metrics?.close();
    this.#bullConnection?.disconnect();
    this.#servers.close();
  }
}

const ABORT_MS = 2_000;

function beating(presence: Presence, clock: Clock): NodeJS.Timeout {
  const beat = (): void => void presence.beat({ workerAtMs: Math.floor(clock.now()) });
  beat();
  return setInterval(beat, BEAT_MS).unref();
}
