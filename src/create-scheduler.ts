import {
  resolveScheduler,
  type SchedulerOptions,
  type SchedulerSettings,
} from './config/options.ts';
import { type EventName, Events, type Listener } from './core/events.ts';
import { type Health, healthOf } from './core/health.ts';
import { printSpan } from './core/print-span.ts';
import { detached, type Tracing } from './core/tracing.ts';
import type { AnyLoader } from './loaders/define-loader.ts';
import { LoaderRegistry, type WithLoaders } from './loaders/registry.ts';
import { FLEET_WATCH_MS, FleetWatch } from './metrics/fleet-watch.ts';
import { RoleMetrics } from './metrics/role-metrics.ts';
import { History } from './redis/history.ts';
import { Keys } from './redis/keys.ts';
import { RoleServers } from './redis/role-servers.ts';
import { usedMemoryShare } from './redis/server-memory.ts';
import { Tracker } from './redis/tracker.ts';
import { CacheWatch } from './schedule/cache-watch.ts';
import { HistoryRecorder } from './schedule/history-recorder.ts';
import { type LoaderLoop, startLoaderLoop } from './schedule/loader-loop.ts';
import { TickLoop } from './schedule/tick-loop.ts';
import { planRegistry } from './warm/plan-registry.ts';
import type { WarmUp } from './warm/warm-up.ts';
import { WarmUpService } from './warm/warm-up-service.ts';
import type { WarmUpStatus } from './warm/warm-up-status.ts';
import type { WithWarmUps } from './warm/with-warm-ups.ts';

/** A running scheduler. Any number may run: claims are atomic, none is a leader. */
export interface Scheduler {
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /**
   * Resolves once Redis has answered, or after 5 s without it.
   *
   * @throws EverwarmError when `strict` and Redis is unreachable or unsuitable
   */
  ready(): Promise<void>;
  /**
   * Where each of its warm-ups is: its runs under way, how the last one ended, when the next one starts.
   *
   * @throws EverwarmError REDIS_UNAVAILABLE
   */
  warmUps(): Promise<readonly WarmUpStatus[]>;
  /** Ready while each of its loops has completed a tick within the last seconds; those need both servers. */
  health(): Promise<Health>;
  /** Finishes the tick under way, gives warm-ups under way to other schedulers and closes the connections. */
  close(): Promise<void>;
}

/** How often due warm-ups are looked for. */
const WARM_UPS_MS = 1_000;
const WATCH_MS = 250;
/** Every so manieth look of the watch asks for evictions too. */
const LOOKS_PER_HEALTH = 4;
/** A tracker grows by what few processes read in so long: far less than the fifth that is kept free. */
const GUARD_MS = 5_000;
const HISTORY_MS = 30_000;

/**
 * Starts choosing which keys of its loaders to refresh before they expire, and enqueues them.
 *
 * @example
 * ```ts
 * const scheduler = createScheduler({ redis: 'redis://localhost:6379', loaders: [product] });
 * process.once('SIGTERM', () => scheduler.close());
 * ```
 * @throws InvalidOptionError naming the option, its value and the rule
 */
export function createScheduler(options: SchedulerOptions & WithLoaders & WithWarmUps): Scheduler {
  return new SchedulerRole(options);
}

class SchedulerRole implements Scheduler {
  readonly #settings: SchedulerSettings;
  readonly #events = new Events();
  readonly #metrics: RoleMetrics | null;
  readonly #servers: RoleServers;
  readonly #plans: ReadonlyMap<string, WarmUp>;
  readonly #ready: Promise<void>;
  #warmUps: WarmUpService | null = null;
  #loaderLoops: readonly LoaderLoop[] = [];
  #loops: readonly TickLoop[] = [];
  #closing: Promise<void> | null = null;

  constructor(options: SchedulerOptions & WithLoaders & WithWarmUps) {
    this.#settings = resolveScheduler(options);
    const registry = new LoaderRegistry(options.loaders);
    this.#plans = planRegistry(options.warmUps ?? [], registry);
    this.#metrics = RoleMetrics.open(this.#settings.metrics, 'scheduler', this.#events);
    this.#servers = new RoleServers({ ...this.#settings, name: 'scheduler', events: this.#events });
    const start = detached(this.#tracing, () => this.#start(registry));
    this.#ready = this.#servers.ready().then(start);
    this.#ready.catch(() => undefined); // Refused: whoever awaits ready() sees it.
  }

  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    return this.#events.on(name, listener);
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  async warmUps(): Promise<readonly WarmUpStatus[]> {
    await this.#ready;
    return this.#warmUps?.status() ?? [];
  }

  async health(): Promise<Health> {
    if (this.#closing !== null) return healthOf(['it is closing']);
    if (this.#loops.length === 0) return healthOf(['it has not started yet']);
    return healthOf(this.#loops.map((loop) => loop.complaint()));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #start(registry: LoaderRegistry): void {
    if (this.#closing !== null) return;
    const { clock } = this.#servers;
    const keys = new Keys(this.#settings.namespace);
    const refreshed = [...registry].filter(({ refresh }) => !refresh.isOff);
    const parts = { servers: this.#servers, settings: this.#settings, events: this.#events };
    this.#loaderLoops = refreshed.map((loader) =>
      startLoaderLoop(loader, { keys, tracing: this.#tracing, guardEveryMs: GUARD_MS, ...parts }),
    );
    const ticks = this.#loaderLoops.map(({ loop }) => loop);
    this.#loops = [this.#startWatch(keys), this.#startGuards(), ...ticks];
    this.#loops = [this.#startHistory(refreshed, keys), ...this.#loops];
    if (this.#metrics) {
      this.#loops = [this.#startMetrics(this.#metrics, refreshed, keys), ...this.#loops];
    }
    clock.onStep(() => this.#pullBack());
    this.#pullBack(); // A step may have come while no scheduler was there.
    if (this.#plans.size > 0) this.#loops = [this.#startWarmUps(keys), ...this.#loops];
  }

  get #tracing(): Tracing | null {
    return this.#metrics?.tracing ?? null;
  }

  #startMetrics(metrics: RoleMetrics, loaders: readonly AnyLoader[], keys: Keys): TickLoop {
    const { cache, queue, clock } = this.#servers;
    const about = { loaders, plans: this.#plans.keys(), keys };
    const watch = new FleetWatch({ metrics, cache, queue, clock, ...about });
    return this.#every(FLEET_WATCH_MS, 'queue', () => watch.look());
  }

  #startHistory(loaders: readonly AnyLoader[], keys: Keys): TickLoop {
    const { queue, clock } = this.#servers;
    const histories = loaders.map((loader) => {
      const tracker = new Tracker(queue, keys, loader);
      return new History({ redis: queue, keys, loader, tracker });
    });
    const recorder = new HistoryRecorder(histories, clock);
    return this.#every(HISTORY_MS, 'queue', () => recorder.tick());
  }

  #startWarmUps(keys: Keys): TickLoop {
    const warmUps = new WarmUpService({
      plans: this.#plans,
      servers: this.#servers,
      keys,
      events: this.#events,
      tracing: this.#tracing,
      target: this.#settings.redis.queue,
    });
    this.#warmUps = warmUps;
    return this.#every(WARM_UPS_MS, 'queue', () => warmUps.tick());
  }

  #startWatch(keys: Keys): TickLoop {
    const watch = new CacheWatch(this.#servers.cache, keys);
    let looks = 0;
    return this.#every(WATCH_MS, 'cache', async () => {
      if (looks++ % LOOKS_PER_HEALTH === 0) {
        const health = await watch.look();
        await this.#heal(health.wasWiped);
        for (const { scheduler } of this.#loaderLoops) scheduler.heed(health);
      } else {
        await this.#heal(await watch.wasWiped());
      }
    });
  }

  async #heal(wasWiped: boolean): Promise<void> {
    if (!wasWiped) return;
    await Promise.all(this.#loaderLoops.map(({ scheduler }) => scheduler.heal()));
    for (const loop of this.#loops) loop.hurry();
  }

  /** Looks after the memory of the queue server, and after what the trackers take of it. */
  #startGuards(): TickLoop {
    return this.#every(GUARD_MS, 'queue', async () => {
      const usedShare = await usedMemoryShare(this.#servers.queue);
      await Promise.all(this.#loaderLoops.map(({ guard }) => guard.look(usedShare)));
    });
  }

  #every(pauseMs: number, role: 'cache' | 'queue', work: () => Promise<unknown>): TickLoop {
    return new TickLoop(() => work().then(() => null), {
      name: `looks at the ${role} Redis every ${printSpan(pauseMs)}`,
      now: () => this.#servers.clock.now(),
      tickMs: pauseMs,
      idleMs: pauseMs,
      onError: (error) => this.#events.emit('redis:failed', { role, error }),
    });
  }

  #pullBack(): void {
    for (const { scheduler } of this.#loaderLoops) {
      scheduler.pullBack().catch((error: unknown) => {
        this.#events.emit('redis:failed', { role: 'queue', error });
      });
    }
  }

  async #close(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.close()));
    const queues = this.#loaderLoops.map(({ queue }) => queue.close());
    await Promise.all([this.#warmUps?.close(), ...queues]);
    this.#metrics?.close();
    this.#servers.close();
  }
}
