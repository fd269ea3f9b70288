import { DEFAULTS } from '../../src/config/defaults.ts';
import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import { type LoaderStats, LoaderStatsStore } from '../../src/redis/loader-stats.ts';
import { type OriginState, readOriginState } from '../../src/redis/origin-state.ts';
import { Presence, type Seen } from '../../src/redis/presence.ts';
import { RefreshPause } from '../../src/redis/refresh-pause.ts';
import { Tracker } from '../../src/redis/tracker.ts';
import { statusOf } from '../../src/warm/read-status.ts';
import type { WarmUpStatus } from '../../src/warm/warm-up-status.ts';
import type { DashboardContext } from '../context.ts';
import { readMemory, type ServerMemory } from './server-memory.ts';

/** What stands in Redis of one loader. */
export interface LoaderFigures {
  readonly name: string;
  readonly stats: LoaderStats;
  readonly seen: Seen;
  readonly threshold: number;
  readonly trackedKeys: number;
  readonly failingKeys: number;
  readonly pausedAtMs: number | null;
  readonly origin: OriginState | null;
  readonly mode: 'active' | 'shadow' | 'off';
}

/** All that the overview shows, as it was at one moment. */
export interface Snapshot {
  readonly atMs: number;
  readonly loaders: readonly LoaderFigures[];
  readonly cache: ServerMemory;
  readonly queue: ServerMemory;
  readonly warmUps: readonly WarmUpStatus[];
}

const TIMEOUT_MS = 3_000;

/** Rejects when a server does not answer in time. */
export function readSnapshot(context: DashboardContext): Promise<Snapshot> {
  return withinTimeout(read(context), 'reading the overview', TIMEOUT_MS);
}

async function read(context: DashboardContext): Promise<Snapshot> {
  const { servers, loaders } = context;
  const [figures, cache, queue, warmUps] = await Promise.all([
    Promise.all([...loaders.values()].map((loader) => readLoader(context, loader))),
    readMemory(servers.cache),
    readMemory(servers.queue),
    readWarmUps(context),
  ]);
  return { atMs: servers.clock.now(), loaders: figures, cache, queue, warmUps };
}

/** How all plans stand; no question to Redis where there is none. */
export async function readWarmUps(context: DashboardContext): Promise<WarmUpStatus[]> {
  const { warmUps, warmUpQueue, runs, servers } = context;
  if (warmUps.length === 0) return [];
  const unfinished = await warmUpQueue.unfinished();
  const nowMs = servers.clock.now();
  return Promise.all(warmUps.map((plan) => statusOf(plan, { runs, unfinished, nowMs })));
}

async function readLoader(
  { servers, keys }: DashboardContext,
  loader: AnyLoader,
): Promise<LoaderFigures> {
  const { queue, clock } = servers;
  const tracker = new Tracker(queue, keys, loader);
  const { failing } = keys.tracker(loader, tracker.halfLifeMs);
  const [stats, seen, trackedKeys, failingKeys, pausedAtMs, origin] = await Promise.all([
    new LoaderStatsStore(queue, keys, loader).read(),
    new Presence(queue, keys, loader).read(),
    tracker.count(),
    queue.hlen(failing),
    new RefreshPause(queue, keys, loader).sinceAtMs(),
    readOriginState(queue, { keys, loader }, clock.now()),
  ]);
  return {
    name: loader.name,
    stats,
    seen,
    threshold: loader.refresh.threshold ?? stats.waste?.threshold ?? DEFAULTS.threshold,
    trackedKeys,
    failingKeys,
    pausedAtMs,
    origin,
    mode: loader.refresh.isOff ? 'off' : loader.refresh.mode,
  };
}
