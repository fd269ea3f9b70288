import { type RoleOptions, resolveRole } from '../config/options.ts';
import { Events } from '../core/events.ts';
import { type QueuedRun, WarmUpQueue } from '../queue/warm-up-queue.ts';
import { openDataConnection, untilReady } from '../redis/connection.ts';
import { Keys } from '../redis/keys.ts';
import { ServerClock } from '../redis/server-clock.ts';
import { WarmUpRuns } from '../redis/warm-up-runs.ts';
import { nextFire } from './planner.ts';
import type { WarmUp } from './warm-up.ts';
import type { WarmUpRunStatus, WarmUpStatus } from './warm-up-status.ts';

const CONNECT_MS = 5_000;

/** A plan's status, over a connection for this once. */
export async function readStatus(plan: WarmUp, options: RoleOptions = {}): Promise<WarmUpStatus> {
  const { redis, namespace } = resolveRole(options);
  const use = { role: 'queue', name: 'status', events: new Events() } as const;
  const connection = openDataConnection(redis.queue, use);
  const clock = new ServerClock(connection);
  try {
    await untilReady(connection, redis.queue, CONNECT_MS);
    await clock.measure();
    const keys = new Keys(namespace);
    const queue = new WarmUpQueue(connection, keys);
    const unfinished = await queue.unfinished();
    await queue.close();
    const runs = new WarmUpRuns(connection, keys);
    return await statusOf(plan, { runs, unfinished, nowMs: clock.now() });
  } finally {
    clock.close();
    connection.disconnect();
  }
}

export interface StatusParts {
  readonly runs: Pick<WarmUpRuns, 'last' | 'tookMs'>;
  /** Runs of all plans that have not ended. */
  readonly unfinished: readonly QueuedRun[];
  readonly nowMs: number;
}

export async function statusOf(
  plan: WarmUp,
  { runs, unfinished, nowMs }: StatusParts,
): Promise<WarmUpStatus> {
  const [next, last] = await Promise.all([nextFire(plan, runs, nowMs), runs.last(plan.name)]);
  return {
    name: plan.name,
    loader: plan.loader.name,
    timezone: plan.zone.name,
    nextStartAtMs: next?.startAtMs ?? null,
    nextPeakAtMs: next?.peakAtMs ?? null,
    runs: unfinished.filter((run) => run.plan === plan.name).map(toStatus),
    last,
  };
}

function toStatus({ runId, state, startAtMs, peakAtMs, progress }: QueuedRun): WarmUpRunStatus {
  const isRunning = state === 'running';
  return { runId, state: isRunning ? 'running' : 'waiting', startAtMs, peakAtMs, progress };
}
