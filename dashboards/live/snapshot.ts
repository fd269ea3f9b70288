import { type LoaderFacts, readLoaderFacts } from '../../src/observe/loader-facts.ts';
import { withinTimeout } from '../../src/redis/connection.ts';
import { readServerMemory, type ServerMemory } from '../../src/redis/server-memory.ts';
import { statusOf } from '../../src/warm/read-status.ts';
import type { WarmUpStatus } from '../../src/warm/warm-up-status.ts';
import type { DashboardContext } from '../context.ts';

/** All that the overview shows, as it was at one moment. */
export interface Snapshot {
  readonly atMs: number;
  readonly loaders: readonly LoaderFacts[];
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
  const { servers, keys, loaders } = context;
  const parts = { queue: servers.queue, keys, clock: servers.clock };
  const [facts, cache, queue, warmUps] = await Promise.all([
    Promise.all([...loaders.values()].map((loader) => readLoaderFacts(parts, loader))),
    readServerMemory(servers.cache, 'cache'),
    readServerMemory(servers.queue, 'queue'),
    readWarmUps(context),
  ]);
  return { atMs: servers.clock.now(), loaders: facts, cache, queue, warmUps };
}

/** How all plans stand; no question to Redis where there is none. */
export async function readWarmUps(context: DashboardContext): Promise<WarmUpStatus[]> {
  const { warmUps, warmUpQueue, runs, servers } = context;
  if (warmUps.length === 0) return [];
  const unfinished = await warmUpQueue.unfinished();
  const nowMs = servers.clock.now();
  return Promise.all(warmUps.map((plan) => statusOf(plan, { runs, unfinished, nowMs })));
}
