import {
  resolveScheduler,
  type SchedulerOptions,
  type SchedulerSettings,
} from './config/options.ts';
import { type EventName, Events, type Listener } from './core/events.ts';
import type { AnyLoader } from './loaders/define-loader.ts';
import { LoaderRegistry, type WithLoaders } from './loaders/registry.ts';
import { shortestLifeMs } from './policy/varying-life.ts';
import { RefreshQueue } from './queue/refresh-queue.ts';
import { EntryStore } from './redis/entry-store.ts';
import { History } from './redis/history.ts';
import { Keys } from './redis/keys.ts';
import { LoaderStatsStore } from './redis/loader-stats.ts';
import { RoleServers } from './redis/role-servers.ts';
import { Tracker } from './redis/tracker.ts';
import { CacheWatch } from './schedule/cache-watch.ts';
import { HistoryRecorder } from './schedule/history-recorder.ts';
import { LoaderScheduler } from './schedule/loader-scheduler.ts';
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
  /** Finishes the tick under way, gives warm-ups under way to other schedulers and closes the connections. */
  close(): Promise<void>;
}

const MIN_TICK_MS = 50;
const MAX_IDLE_MS = 1_000;
const TICKS_PER_TTL = 20;
const WATCH_MS = 1_000;
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
  readonly #servers: RoleServers;
  readonly #queues: RefreshQueue[] = [];
  readonly #schedulers: LoaderScheduler[] = [];
  readonly #plans: ReadonlyMap<string, WarmUp>;
  readonly #ready: Promise<void>;
  #warmUps: WarmUpService | null = null;
  #loops: readonly TickLoop[] = [];
  #closing: Promise<void> | null = null;

  constructor(options: SchedulerOptions & WithLoaders & WithWarmUps) {
    this.#settings = resolveScheduler(options);
    const registry = new LoaderRegistry(options.loaders);
    this.#plans = planRegistry(options.warmUps ?? [], registry);
    this.#servers = new RoleServers({ ...this.#settings, name: 'scheduler', events: this.#events });
    this.#ready = this.#servers.ready().then(() => this.#start(registry));
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

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #start(registry: LoaderRegistry): void {
    if (this.#closing !== null) return;
    const keys = new Keys(this.#settings.namespace);
    const refreshed = [...registry].filter(({ refresh }) => !refresh.isOff);
    const loops = refreshed.map((loader) => this.#startLoop(loader, keys));
    this.#loops = [this.#startWatch(keys), this.#startHistory(refreshed, keys), ...loops];
    if (this.#plans.size > 0) this.#loops = [this.#startWarmUps(keys), ...this.#loops];
  }

  #startHistory(loaders: readonly AnyLoader[], keys: Keys): TickLoop {
    const { queue, clock } = this.#servers;
    const histories = loaders.map((loader) => {
      const tracker = new Tracker(queue, keys, loader);
      return new History({ redis: queue, keys, loader, tracker });
    });
    const recorder = new HistoryRecorder(histories, clock);
    return new TickLoop(() => recorder.tick(), {
      now: () => clock.now(),
      tickMs: HISTORY_MS,
      idleMs: HISTORY_MS,
      onError: (error) => this.#events.emit('redis:failed', { role: 'queue', error }),
    });
  }

  #startWarmUps(keys: Keys): TickLoop {
    const servers = this.#servers;
    const events = this.#events;
    const target = this.#settings.redis.queue;
    const warmUps = new WarmUpService({ plans: this.#plans, servers, target, keys, events });
    this.#warmUps = warmUps;
    return new TickLoop(() => warmUps.tick(), {
      now: () => servers.clock.now(),
      tickMs: MIN_TICK_MS,
      idleMs: MAX_IDLE_MS,
      onError: (error) => events.emit('redis:failed', { role: 'queue', error }),
    });
  }

  #startLoop(loader: AnyLoader, keys: Keys): TickLoop {
    const { cache, queue, clock } = this.#servers;
    const { tickIntervalMs, claimTtlMs, maxTrackedKeys } = this.#settings;
    const shareOfTtlMs = shortestLifeMs(loader) / TICKS_PER_TTL;
    const tickMs = Math.max(MIN_TICK_MS, Math.min(tickIntervalMs, shareOfTtlMs));
    const refreshQueue = new RefreshQueue(queue, keys, loader);
    this.#queues.push(refreshQueue);
    const scheduler = new LoaderScheduler({
      loader,
      keys,
      tracker: new Tracker(queue, keys, loader),
      store: new EntryStore(cache),
      stats: new LoaderStatsStore(queue, keys, loader),
      queue: refreshQueue,
      clock,
      events: this.#events,
      tickMs,
      claimTtlMs,
      maxTrackedKeys,
    });
    this.#schedulers.push(scheduler);
    return new TickLoop(() => scheduler.tick(), {
      now: () => clock.now(),
      tickMs,
      idleMs: Math.max(tickMs, Math.min(MAX_IDLE_MS, shareOfTtlMs)),
      onError: (error) => this.#events.emit('redis:failed', { role: 'queue', error }),
    });
  }

  #startWatch(keys: Keys): TickLoop {
    const { cache, clock } = this.#servers;
    const watch = new CacheWatch(cache, keys);
    const look = async (): Promise<null> => {
      const health = await watch.look();
      await Promise.all(this.#schedulers.map((scheduler) => scheduler.heed(health)));
      return null;
    };
    return new TickLoop(look, {
      now: () => clock.now(),
      tickMs: WATCH_MS,
      idleMs: WATCH_MS,
      onError: (error) => this.#events.emit('redis:failed', { role: 'cache', error }),
    });
  }

  async #close(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.close()));
    await Promise.all([this.#warmUps?.close(), ...this.#queues.map((queue) => queue.close())]);
    this.#servers.close();
  }
}
