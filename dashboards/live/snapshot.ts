import type { AnyLoader } from '../../src/loaders/define-loader.ts';
import { type FleetRates, readFleetRates } from '../../src/observe/fleet-rates.ts';
import { type LoaderFacts, readLoaderFacts } from '../../src/observe/loader-facts.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import { readServerMemory, type ServerMemory } from '../../src/redis/server-memory.ts';
import { statusOf } from '../../src/warm/read-status.ts';
import type { WarmUpStatus } from '../../src/warm/warm-up-status.ts';
import type { DashboardContext } from '../context.ts';

/** How one loader does. */
export type LoaderFigures = LoaderFacts & FleetRates;

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
  const { servers } = context;
  const [loaders, cache, queue, warmUps] = await Promise.all([
    Promise.all([...context.loaders.values()].map((loader) => readLoader(context, loader))),
    readServerMemory(servers.cache, 'cache'),
    readServerMemory(servers.queue, 'queue'),
    readWarmUps(context),
  ]);
  return { atMs: servers.clock.now(), loaders, cache, queue, warmUps };
}

async function readLoader(
  { servers: { queue, clock }, keys }: DashboardContext,
  loader: AnyLoader,
): Promise<LoaderFigures> {
  const parts = { queue, keys, clock };
  const [facts, rates] = await Promise.all([
    readLoaderFacts(parts, loader),
    readFleetRates(parts, loader),
  ]);
  return { ...facts, ...rates };
}

/** How all plans stand; no question to Redis where there is none. */
export async function readWarmUps(context: DashboardContext): Promise<WarmUpStatus[]> {
  const { warmUps, warmUpQueue, runs, servers } = context;
  if (warmUps.length === 0) return [];
  const unfinished = await warmUpQueue.unfinished();
  const nowMs = servers.clock.now();
  return Promise.all(warmUps.map((plan) => statusOf(plan, { runs, unfinished, nowMs })));
}
