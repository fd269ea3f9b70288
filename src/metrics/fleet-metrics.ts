import { counter, gauge, type Metric } from './metric.ts';

/** Whoever asks Redis for it. */
const FLEET = ['scheduler', 'dashboard'] as const;
const LOADER = ['loader'] as const;

export type FleetMetricName =
  | 'backlog'
  | 'trackedKeys'
  | 'failingKeys'
  | 'paused'
  | 'threshold'
  | 'wasteBudget'
  | 'usedRefreshes'
  | 'wastedRefreshes'
  | 'queueWait'
  | 'workerAlive'
  | 'originState'
  | 'cacheMemory'
  | 'queueMemory'
  | 'queueEvicting';

/** What schedulers and dashboards read from Redis: of the whole fleet and of the servers, the same from each. */
export const FLEET_METRICS: Readonly<Record<FleetMetricName, Metric>> = {
  backlog: gauge('everwarm_backlog', {
    labels: LOADER,
    roles: FLEET,
    help: 'Keys enqueued that no worker is done with; of the fleet.',
  }),
  trackedKeys: gauge('everwarm_tracked_keys', {
    labels: LOADER,
    roles: FLEET,
    help: 'Keys whose heat is kept; of the fleet.',
  }),
  failingKeys: gauge('everwarm_failing_keys', {
    labels: LOADER,
    roles: FLEET,
    help: 'Keys whose last refresh failed, at most 10,000; of the fleet.',
  }),
  paused: gauge('everwarm_refreshing_paused', {
    labels: LOADER,
    roles: FLEET,
    help: '1 while the refreshing of the loader is paused, else 0; of the fleet.',
  }),
  threshold: gauge('everwarm_threshold', {
    labels: LOADER,
    roles: FLEET,
    help: 'Recent reads that make a key worth refreshing; of the fleet.',
  }),
  wasteBudget: gauge('everwarm_waste_budget', {
    labels: LOADER,
    roles: FLEET,
    help: 'Share of refreshes whose value nobody needs to read, as configured.',
  }),
  usedRefreshes: counter('everwarm_used_refreshes_total', {
    labels: LOADER,
    roles: FLEET,
    isOfFleet: true,
    help: 'Refreshed values that were read before they expired; of the fleet.',
  }),
  wastedRefreshes: counter('everwarm_wasted_refreshes_total', {
    labels: LOADER,
    roles: FLEET,
    isOfFleet: true,
    help: 'Refreshed values that nobody read before they expired; of the fleet.',
  }),
  queueWait: gauge('everwarm_queue_wait_seconds', {
    labels: LOADER,
    roles: FLEET,
    help: 'Smoothed time that keys wait for a worker, fading while none comes; of the fleet.',
  }),
  workerAlive: gauge('everwarm_worker_alive', {
    labels: LOADER,
    roles: FLEET,
    help: '1 if a worker of the loader was there within the last 15 s, else 0; of the fleet.',
  }),
  originState: gauge('everwarm_origin_state', {
    labels: LOADER,
    roles: FLEET,
    help: 'Breaker of the origin: 0 closed, 1 ramping, 2 half-open, 3 open; of the fleet.',
  }),
  cacheMemory: gauge('everwarm_cache_memory_used_ratio', {
    labels: [],
    roles: FLEET,
    help: 'Share of maxmemory that the fullest cache server uses; 0 without a limit.',
  }),
  queueMemory: gauge('everwarm_queue_memory_used_ratio', {
    labels: [],
    roles: FLEET,
    help: 'Share of maxmemory that the fullest queue server uses; 0 without a limit.',
  }),
  queueEvicting: gauge('everwarm_queue_evicting', {
    labels: [],
    roles: FLEET,
    help: '1 if the queue server has evicted keys since the last look, else 0.',
  }),
};
