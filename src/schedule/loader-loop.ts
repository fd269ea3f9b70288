import type { SchedulerSettings } from '../config/options.ts';
import type { Events } from '../core/events.ts';
import type { Tracing } from '../core/tracing.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { idleMs, tickMs as tickMsOf } from '../policy/cadence.ts';
import { shortestLifeMs } from '../policy/varying-life.ts';
import { RefreshQueue } from '../queue/refresh-queue.ts';
import { EntryStore } from '../redis/entry-store.ts';
import type { Keys } from '../redis/keys.ts';
import { LoaderStatsStore } from '../redis/loader-stats.ts';
import { readOriginState } from '../redis/origin-state.ts';
import { Presence } from '../redis/presence.ts';
import { RefreshPause } from '../redis/refresh-pause.ts';
import type { RoleServers } from '../redis/role-servers.ts';
import { Tracker } from '../redis/tracker.ts';
import { LoaderScheduler } from './loader-scheduler.ts';
import { PausableTick } from './pausable-tick.ts';
import { TickLoop } from './tick-loop.ts';
import { TrackerGuard } from './tracker-guard.ts';

export interface LoaderLoopParts {
  readonly servers: Pick<RoleServers, 'cache' | 'queue' | 'clock'>;
  readonly settings: SchedulerSettings;
  readonly keys: Keys;
  readonly events: Events;
  /** Null: nobody traces. */
  readonly tracing: Tracing | null;
  /** How often whoever has the guard lets it look. */
  readonly guardEveryMs: number;
}

/** What a scheduler runs for one loader: the queue and the loop are to be closed, the guard is to be called. */
export interface LoaderLoop {
  readonly queue: RefreshQueue;
  readonly scheduler: LoaderScheduler;
  readonly guard: TrackerGuard;
  readonly loop: TickLoop;
}

/** Builds the parts that refresh one loader's keys in time, and starts their ticks. */
export function startLoaderLoop(loader: AnyLoader, parts: LoaderLoopParts): LoaderLoop {
  const { servers, settings, keys, events, tracing, guardEveryMs } = parts;
  const { cache, queue: redis, clock } = servers;
  const { tickIntervalMs, claimTtlMs, maxTrackedKeys, maxTrackedBytes } = settings;
  const tracker = new Tracker(redis, keys, loader);
  const tickMs = tickMsOf(tickIntervalMs, shortestLifeMs(loader));
  const isShadow = settings.mode === 'shadow' || loader.refresh.mode === 'shadow';
  const mode = isShadow ? 'shadow' : 'active';
  const { name, version } = loader;
  const queue = new RefreshQueue(redis, keys, { name, version, tracing });
  const scheduler = new LoaderScheduler({
    loader,
    keys,
    tracker,
    store: new EntryStore(cache),
    stats: new LoaderStatsStore(redis, keys, loader),
    originState: () => readOriginState(redis, { keys, loader }, clock.now()),
    queue,
    clock,
    events,
    tracing,
    tickMs,
    claimTtlMs,
    maxTrackedKeys,
    mode,
  });
  const watched = { loader, tracker, clock, events, maxTrackedBytes, everyMs: guardEveryMs };
  const guard = new TrackerGuard(watched);
  const tick = new PausableTick({
    tick: () => scheduler.tick(),
    pause: new RefreshPause(redis, keys, loader),
    presence: new Presence(redis, keys, loader),
    clock,
    mode,
    tickMs,
  });
  const loop = new TickLoop(() => tick.run(), {
    name: `ticks of ${loader.name}`,
    now: () => clock.now(),
    tickMs,
    idleMs: idleMs(tickMs, shortestLifeMs(loader)),
    isHurried: () => scheduler.isHealing,
    onError: (error) => events.emit('redis:failed', { role: 'queue', error }),
  });
  return { queue, scheduler, guard, loop };
}
