import { FLEET_METRICS, type FleetMetricName } from './fleet-metrics.ts';
import { counter, gauge, histogram, type Metric } from './metric.ts';

const C = ['cache'] as const;
const W = ['worker'] as const;
const S = ['scheduler'] as const;
const LOADING = ['cache', 'worker'] as const;
const ALL = ['cache', 'worker', 'scheduler', 'dashboard'] as const;
const LOADER = ['loader'] as const;

const READ_SECONDS = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5,
];
const LOAD_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** At most 0: it landed after the old value had expired. */
const LEAD_SECONDS = [0, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];
const TICK_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

type MetricName =
  | FleetMetricName
  | 'reads'
  | 'readDuration'
  | 'misses'
  | 'staleReads'
  | 'readsDropped'
  | 'invalidations'
  | 'breakerState'
  | 'loads'
  | 'loadDuration'
  | 'locksLost'
  | 'storeFailures'
  | 'originOpenings'
  | 'originPauses'
  | 'warmFailures'
  | 'refreshes'
  | 'refreshLead'
  | 'tickDuration'
  | 'plannedKeys'
  | 'trackerLimited'
  | 'warmUps'
  | 'warmUpKeys'
  | 'redisFailures';

/** Every metric of Everwarm. */
export const METRICS: Readonly<Record<MetricName, Metric>> = {
  reads: counter('everwarm_reads_total', {
    labels: ['loader', 'result'],
    roles: C,
    help: 'Reads by what answered them; "loader": the read waited for a load.',
  }),
  readDuration: histogram('everwarm_read_duration_seconds', {
    labels: LOADER,
    roles: C,
    bounds: READ_SECONDS,
    help: 'Duration of single reads that no copy in the process answered, of one read in eight.',
  }),
  misses: counter('everwarm_misses_total', {
    labels: ['loader', 'cause'],
    roles: C,
    from: [['absent'], ['expired']],
    help: 'Reads that found nothing to answer with; "expired": there was a value, past its time.',
  }),
  staleReads: counter('everwarm_stale_reads_total', {
    labels: ['loader', 'why'],
    roles: C,
    help: 'Reads answered with a value past its time.',
  }),
  readsDropped: counter('everwarm_reads_dropped_total', {
    labels: LOADER,
    roles: C,
    help: 'Keys whose reads could not be counted for the tracker.',
  }),
  invalidations: counter('everwarm_invalidations_total', {
    labels: ['kind', 'outcome'],
    roles: C,
    help: 'Invalidations; "failed": of a repetition or a hook, the invalidation itself is done.',
  }),
  breakerState: gauge('everwarm_breaker_state', {
    labels: ['role', 'node'],
    roles: C,
    help: '1 while reads, or their recording, do not ask this Redis, else 0.',
  }),
  loads: counter('everwarm_loads_total', {
    labels: ['loader', 'reason', 'outcome'],
    roles: LOADING,
    from: [
      ['miss', 'stored'],
      ['miss', 'failed'],
      ['refresh', 'stored'],
      ['refresh', 'failed'],
    ],
    help: 'Keys loaded; "unstored": the value was answered but not kept.',
  }),
  loadDuration: histogram('everwarm_load_duration_seconds', {
    labels: ['loader', 'reason'],
    roles: LOADING,
    bounds: LOAD_SECONDS,
    help: 'Duration of loads, failed ones included.',
  }),
  locksLost: counter('everwarm_locks_lost_total', {
    labels: LOADER,
    roles: LOADING,
    help: 'Loads whose lock was taken away or ran out: their values are not stored.',
  }),
  storeFailures: counter('everwarm_store_failures_total', {
    labels: LOADER,
    roles: LOADING,
    help: 'Loaded values that could not be written.',
  }),
  originOpenings: counter('everwarm_origin_openings_total', {
    labels: LOADER,
    roles: LOADING,
    help: "Times that this process's call opened the breaker of an origin.",
  }),
  originPauses: counter('everwarm_origin_pauses_total', {
    labels: LOADER,
    roles: LOADING,
    help: 'Pauses that an origin has asked this process for.',
  }),
  warmFailures: counter('everwarm_warm_failures_total', {
    labels: LOADER,
    roles: LOADING,
    help: 'Keys that a warm-up could not load or store.',
  }),
  refreshes: counter('everwarm_refreshes_total', {
    labels: ['loader', 'outcome'],
    roles: W,
    from: [['refreshed'], ['failed'], ['late']],
    help: 'Keys of refresh jobs: "refreshed", "failed", or why one was left alone.',
  }),
  refreshLead: histogram('everwarm_refresh_lead_seconds', {
    labels: LOADER,
    roles: W,
    bounds: LEAD_SECONDS,
    help: 'Life that the old value still had when the new one landed; at most 0: too late.',
  }),
  tickDuration: histogram('everwarm_tick_duration_seconds', {
    labels: LOADER,
    roles: S,
    bounds: TICK_SECONDS,
    help: 'Duration of ticks.',
  }),
  plannedKeys: counter('everwarm_planned_keys_total', {
    labels: ['loader', 'outcome'],
    roles: S,
    help: 'Due keys by what a tick made of them.',
  }),
  trackerLimited: counter('everwarm_tracker_limited_total', {
    labels: ['loader', 'why'],
    roles: S,
    from: [['bytes'], ['memory']],
    help: 'Looks that found no room for new keys in the tracker.',
  }),
  warmUps: counter('everwarm_warm_ups_total', {
    labels: ['plan', 'outcome'],
    roles: S,
    from: [['completed'], ['skipped'], ['failed']],
    help: 'Runs of warm-up plans.',
  }),
  warmUpKeys: counter('everwarm_warm_up_keys_total', {
    labels: ['plan', 'outcome'],
    roles: S,
    from: [['done'], ['failed']],
    help: 'Keys of completed runs.',
  }),
  ...FLEET_METRICS,
  redisFailures: counter('everwarm_redis_failures_total', {
    labels: ['role'],
    roles: ALL,
    help: 'Failed calls and connections, by the role of the server; the first few of a row.',
  }),
};
