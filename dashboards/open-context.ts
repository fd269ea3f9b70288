import { resolveMetrics } from '../src/config/metrics-option.ts';
import { resolveRole } from '../src/config/options.ts';
import { Events } from '../src/core/events.ts';
import { createCache } from '../src/create-cache.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import { RoleMetrics } from '../src/metrics/role-metrics.ts';
import { Explainer } from '../src/observe/explainer.ts';
import { RefreshControl } from '../src/observe/refresh-control.ts';
import { RefreshQueue } from '../src/queue/refresh-queue.ts';
import { WarmUpQueue } from '../src/queue/warm-up-queue.ts';
import { Keys } from '../src/redis/keys.ts';
import { RoleServers } from '../src/redis/role-servers.ts';
import { WarmUpRuns } from '../src/redis/warm-up-runs.ts';
import type { DashboardContext } from './context.ts';
import { KeyNames } from './key-names.ts';
import type { DashboardOptions, DashboardSettings } from './options.ts';

/** Opens the connections, and builds what pages and actions need; `servers` and `cache` are to be closed. */
export function openContext(
  options: DashboardOptions,
  settings: DashboardSettings,
): DashboardContext {
  const { loaders, warmUps = [] } = options;
  const role = resolveRole(options);
  const { namespace, redis, strict } = role;
  const events = new Events();
  // What is wrong with the servers the pages say themselves.
  events.on('server:unsuitable', () => undefined);
  const metrics = RoleMetrics.open(resolveMetrics(options.metrics), 'dashboard', events);
  const servers = new RoleServers({ redis, strict, name: 'dashboard', events });
  const keys = new Keys(namespace);
  const { cache, queue, clock } = servers;
  return {
    settings,
    events,
    metrics,
    loaders: new Map(loaders.map((loader) => [loader.name, loader])),
    queueOf: queuesOf(loaders, (loader) => new RefreshQueue(queue, keys, loader)),
    warmUps,
    servers,
    keys,
    names: new KeyNames(settings),
    cache: createCache({ redis, namespace, loaders, recording: false }),
    explainer: new Explainer({ cache, queue, keys, clock }),
    control: new RefreshControl({ queue, keys, clock }),
    warmUpQueue: new WarmUpQueue(queue, keys),
    runs: new WarmUpRuns(queue, keys),
  };
}

function queuesOf(
  loaders: readonly AnyLoader[],
  open: (loader: AnyLoader) => RefreshQueue,
): DashboardContext['queueOf'] {
  const queues = new Map(loaders.map((loader) => [loader.name, open(loader)]));
  return ({ name }) => {
    const queue = queues.get(name);
    if (!queue) throw new TypeError(`no loader "${name}"`);
    return queue;
  };
}
