import type { EventMap, EventName, Events } from '../core/events.ts';
import type { Family } from './family.ts';
import type { Metric } from './metric.ts';
import { METRICS } from './metrics.ts';

type FamilyOf = (metric: Metric) => Family | null;
type Count<N extends EventName> = (event: EventMap[N]) => void;

/** Counts a role's events in those of its metrics that they are about. */
export function countEvents(events: Events, familyOf: FamilyOf): void {
  const on = <N extends EventName>(
    metric: Metric,
    name: N,
    count: (family: Family) => Count<N>,
  ): void => {
    const family = familyOf(metric);
    if (family) events.on(name, count(family));
  };
  countReads(on);
  countLoads(on);
  countRefreshes(on);
  countTicks(on);
  countWarmUps(on);
  countServers(on);
}

type On = <N extends EventName>(
  metric: Metric,
  name: N,
  count: (family: Family) => Count<N>,
) => void;

function countReads(on: On): void {
  on(METRICS.misses, 'entry:missed', (family) => ({ loader, cause }) => {
    family.add([loader, cause]);
  });
  on(METRICS.staleReads, 'stale:served', (family) => ({ loader, why }) => {
    family.add([loader, why]);
  });
  on(METRICS.readsDropped, 'reads:dropped', (family) => ({ loader, keys }) => {
    family.add([loader], keys);
  });
  on(METRICS.invalidations, 'invalidation:completed', (family) => ({ kind }) => {
    family.add([kind, 'completed']);
  });
  on(METRICS.invalidations, 'invalidation:failed', (family) => ({ kind }) => {
    family.add([kind, 'failed']);
  });
}

function countLoads(on: On): void {
  on(METRICS.loads, 'load:completed', (family) => ({ loader, reason, stored }) => {
    family.add([loader, reason, stored ? 'stored' : 'unstored']);
  });
  on(METRICS.loads, 'load:failed', (family) => ({ loader, reason }) => {
    family.add([loader, reason, 'failed']);
  });
  for (const name of ['load:completed', 'load:failed'] as const) {
    on(METRICS.loadDuration, name, (family) => ({ loader, reason, loadMs }) => {
      family.observe([loader, reason], loadMs / 1_000);
    });
  }
  on(
    METRICS.locksLost,
    'lock:lost',
    (family) =>
      ({ loader }) =>
        family.add([loader]),
  );
  on(
    METRICS.storeFailures,
    'store:failed',
    (family) =>
      ({ loader }) =>
        family.add([loader]),
  );
  on(
    METRICS.originOpenings,
    'origin:opened',
    (family) =>
      ({ loader }) =>
        family.add([loader]),
  );
  on(
    METRICS.originPauses,
    'origin:paused',
    (family) =>
      ({ loader }) =>
        family.add([loader]),
  );
  on(
    METRICS.warmFailures,
    'warm:failed',
    (family) =>
      ({ loader }) =>
        family.add([loader]),
  );
}

function countRefreshes(on: On): void {
  on(METRICS.refreshes, 'refresh:completed', (family) => ({ loader }) => {
    family.add([loader, 'refreshed']);
  });
  on(METRICS.refreshLead, 'refresh:completed', (family) => ({ loader, leadMs }) => {
    family.observe([loader], leadMs / 1_000);
  });
  on(METRICS.refreshes, 'refresh:skipped', (family) => ({ loader, why }) => {
    family.add([loader, why]);
  });
  on(METRICS.refreshes, 'refresh:failed', (family) => ({ loader }) => {
    family.add([loader, 'failed']);
  });
}

function countTicks(on: On): void {
  on(METRICS.tickDuration, 'tick:completed', (family) => ({ loader, tickMs }) => {
    family.observe([loader], tickMs / 1_000);
  });
  on(METRICS.plannedKeys, 'tick:completed', (family) => (tick) => {
    for (const outcome of ['enqueued', 'shadowed', 'waiting', 'dropped'] as const) {
      family.add([tick.loader, outcome], tick[outcome]);
    }
  });
  on(METRICS.trackerLimited, 'tracker:limited', (family) => ({ loader, why }) => {
    family.add([loader, why]);
  });
}

function countWarmUps(on: On): void {
  for (const outcome of ['completed', 'skipped', 'failed'] as const) {
    on(
      METRICS.warmUps,
      `warmup:${outcome}`,
      (family) =>
        ({ plan }) =>
          family.add([plan, outcome]),
    );
  }
  on(METRICS.warmUpKeys, 'warmup:completed', (family) => (run) => {
    for (const outcome of ['done', 'skipped', 'failed', 'refused'] as const) {
      family.add([run.plan, outcome], run[outcome]);
    }
  });
}

function countServers(on: On): void {
  on(METRICS.redisFailures, 'redis:failed', (family) => {
    for (const role of ['cache', 'queue']) family.set([role], 0);
    return ({ role }) => family.add([role]);
  });
  on(METRICS.breakerState, 'breaker:opened', (family) => {
    for (const role of ['cache', 'queue']) family.set([role, ''], 0);
    return ({ role, node }) => family.set([role, node], 1);
  });
  on(METRICS.breakerState, 'breaker:closed', (family) => ({ role, node }) => {
    family.set([role, node], 0);
  });
}
