import { FLEET_WATCH_MS, FleetWatch } from '../src/metrics/fleet-watch.ts';
import type { RoleMetrics } from '../src/metrics/role-metrics.ts';
import { TickLoop } from '../src/schedule/tick-loop.ts';
import type { DashboardContext } from './context.ts';

/** Publishes the fleet's metrics, if they are asked for, once Redis has answered; the answer ends that. */
export function publishFleet(context: DashboardContext): () => Promise<void> {
  const { metrics, servers } = context;
  if (metrics === null) return async () => undefined;
  let loop: TickLoop | null = null;
  let isClosed = false;
  const begin = (): void => {
    if (!isClosed) loop = watchFleet(context, metrics);
  };
  servers.ready().then(begin, () => undefined); // Refused: whoever awaits the dashboard's ready() sees it.
  return async () => {
    isClosed = true;
    await loop?.close();
    metrics.close();
  };
}

function watchFleet(context: DashboardContext, metrics: RoleMetrics): TickLoop {
  const { servers, keys, events, loaders, warmUps } = context;
  const { cache, queue, clock } = servers;
  const watch = new FleetWatch({
    metrics,
    loaders: [...loaders.values()].filter(({ refresh }) => !refresh.isOff),
    plans: warmUps.map(({ name }) => name),
    cache,
    queue,
    keys,
    clock,
  });
  return new TickLoop(() => watch.look().then(() => null), {
    name: "looks at the fleet's figures",
    now: () => clock.now(),
    tickMs: FLEET_WATCH_MS,
    idleMs: FLEET_WATCH_MS,
    onError: (error) => events.emit('redis:failed', { role: 'queue', error }),
  });
}
