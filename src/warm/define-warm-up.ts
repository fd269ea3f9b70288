import { DEFAULTS } from '../config/defaults.ts';
import { checkName, checkObject, requiredSpan, span } from '../config/rules.ts';
import type { Duration } from '../core/duration.ts';
import { InvalidOptionError } from '../core/errors.ts';
import type { AnyLoader, Loader } from '../loaders/define-loader.ts';
import { isLoader } from '../loaders/registry.ts';
import { type FireTimes, fireTimesOf, zoneOf } from './fire-times.ts';
import { PlanTimes } from './plan-times.ts';
import { readStatus } from './read-status.ts';
import { resolveKeys, type WarmKeys } from './warm-keys.ts';
import type { WarmUp } from './warm-up.ts';
import type { Zone } from './zone.ts';

export interface WarmUpDefinition<P> {
  /** `[A-Za-z0-9_.-]{1,64}`, unique among the plans of a scheduler. */
  readonly name: string;
  /** Whose keys. A scheduler that runs the plan has it among its loaders. */
  readonly loader: Loader<P, unknown>;
  /** When runs start: a cron pattern of five fields. May be left out where there is a `peakAt`. */
  readonly schedule?: string;
  /** IANA zone of `schedule` and `peakAt`. */
  readonly timezone: string;
  /** When the keys are needed: a time of the local day, `'09:00'`, or a cron pattern of five fields. */
  readonly peakAt?: string;
  /** From start to peak; `'measured'`: 1.5 times what the last run took. @defaultValue `'measured'` without `schedule` */
  readonly leadTime?: Duration | 'measured';
  /** Which keys: params, a function that answers them, `{ hottest: 5000 }`, or an array of these. */
  readonly keys: WarmKeys<NoInfer<P>>;
  /** Over how long the loads of a run are spread. @defaultValue `'1m'` */
  readonly spreadOver?: Duration;
  /** What is warmed stays fresh for at least so long after the peak; without one, after the run. @defaultValue the loader's ttl, from the load */
  readonly ttl?: Duration;
  /** Of its jobs in the loader's queue, 1 to 2097151, lower is sooner. @defaultValue after all refreshes */
  readonly priority?: number;
  /** A run that nobody could start in time is started so much later at most. @defaultValue `'1h'` */
  readonly catchUp?: Duration;
  /** While the last run is still under way: `'skip'` this one, or `'queue'` it behind, for `catchUp` at most. @defaultValue `'skip'` */
  readonly overlap?: 'skip' | 'queue';
}

/** A run may always come so late: timers and machines do. */
const LEAST_CATCH_UP_MS = 10_000;
const MOST_CATCH_UP_MS = 7 * 86_400_000;
const MOST_PRIORITY = 2_097_151;
const TIME_OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/**
 * A plan to load keys before they are needed.
 *
 * @example
 * ```ts
 * export const morning = defineWarmUp({
 *   name: 'morning',
 *   loader: product,
 *   peakAt: '0 9 * * 1-5',
 *   timezone: 'Europe/Berlin',
 *   leadTime: '30m',
 *   keys: { hottest: 5_000 },
 *   spreadOver: '20m',
 *   ttl: '1h',
 * });
 * ```
 * @throws InvalidOptionError naming the field, its value and the rule
 */
export function defineWarmUp<P>(definition: WarmUpDefinition<P>): WarmUp {
  checkObject(definition, 'definition');
  const name = checkName(definition.name, 'name');
  const at = (field: string): string => `warm-up "${name}": ${field}`;
  if (!isLoader(definition.loader)) {
    throw new InvalidOptionError(at('loader'), definition.loader, 'must come from defineLoader()');
  }
  const zone = zoneOf(definition.timezone, at('timezone'));
  const leadMs = resolveLead(definition, at);
  const spreadOverMs = resolveSpread(definition.spreadOver, leadMs, at);
  const { ttl, catchUp } = definition;
  const plan: WarmUp = {
    name,
    loader: definition.loader as unknown as AnyLoader,
    zone,
    times: resolveTimes({ ...definition, leadMs }, zone, at),
    sources: resolveKeys(definition.keys, at('keys')),
    spreadOverMs,
    ttlMs: ttl === undefined ? null : requiredSpan(ttl, at('ttl'), { min: 0 }),
    priority: resolvePriority(definition.priority, at('priority')),
    catchUpMs: span(catchUp, at('catchUp'), {
      or: DEFAULTS.catchUpMs,
      min: LEAST_CATCH_UP_MS,
      max: MOST_CATCH_UP_MS,
    }),
    overlap: resolveOverlap(definition.overlap, at('overlap')),
    status: (options) => readStatus(plan, options),
  };
  return Object.freeze(plan);
}

type Path = (field: string) => string;
type Timing = Pick<WarmUpDefinition<never>, 'schedule' | 'peakAt' | 'leadTime'> & {
  readonly leadMs: number | null;
};

function resolveTimes(given: Timing, zone: Zone, at: Path): PlanTimes {
  const { schedule, peakAt } = given;
  if (schedule === undefined && peakAt === undefined) {
    const rule = 'must be a cron pattern of 5 fields, unless there is a `peakAt`';
    throw new InvalidOptionError(at('schedule'), schedule, rule);
  }
  const times = schedule === undefined ? null : fireTimesOf(schedule, zone, at('schedule'));
  const peak = peakAt === undefined ? null : peakTimes(peakAt, zone, at('peakAt'));
  if (times && peak && TIME_OF_DAY.test(String(peakAt))) checkOrder(times, peak, at('peakAt'));
  const { leadMs } = given;
  const isLedByPeak = peak !== null && (times === null || given.leadTime !== undefined);
  return new PlanTimes({ schedule: times, peak, leadMs, isLedByPeak });
}

function peakTimes(peakAt: unknown, zone: Zone, path: string): FireTimes {
  const [, hour, minute] = TIME_OF_DAY.exec(String(peakAt)) ?? [];
  if (hour === undefined && typeof peakAt === 'string' && peakAt.includes(':')) {
    throw new InvalidOptionError(path, peakAt, "must be a time from '00:00' to '23:59'");
  }
  if (hour === undefined && !/\s/.test(String(peakAt).trim())) {
    const rule = "must be a time of day such as '09:00', or a cron pattern of 5 fields";
    throw new InvalidOptionError(path, peakAt, rule);
  }
  const pattern = hour === undefined ? peakAt : `${Number(minute)} ${Number(hour)} * * *`;
  return fireTimesOf(pattern, zone, path);
}

/** A cron pattern has the same times on each of its days: the first day shows them all. */
function checkOrder(schedule: FireTimes, peak: FireTimes, path: string): void {
  const { zone } = schedule;
  const firstMs = schedule.next(Date.now());
  if (firstMs === null) return;
  const dayOf = (atMs: number): string => zone.text(atMs).slice(0, 10);
  const midnightMs = zone.instantMs(Date.parse(`${dayOf(firstMs)}T00:00Z`) + 86_400_000);
  const lastMs = schedule.previous(midnightMs - 1) ?? firstMs;
  const peakMs = peak.next(lastMs);
  if (peakMs !== null && dayOf(peakMs) === dayOf(lastMs)) return;
  const peakTime = peakMs === null ? '' : zone.text(peakMs).slice(11, 16);
  const rule = `is not after the start at ${zone.text(lastMs).slice(11, 16)}: for a peak on the next day write a cron pattern`;
  throw new InvalidOptionError(path, peakTime, rule);
}

function resolveLead(given: Omit<Timing, 'leadMs'>, at: Path): number | null {
  const { leadTime, schedule, peakAt } = given;
  const path = at('leadTime');
  if (leadTime === undefined) return null;
  if (leadTime !== 'measured') return requiredSpan(leadTime, path, { min: 0 });
  if (peakAt !== undefined) return null;
  const rule = `needs \`peakAt\`: \`schedule\` (${schedule}) is the start`;
  throw new InvalidOptionError(path, leadTime, rule);
}

function resolveSpread(spreadOver: Duration | undefined, leadMs: number | null, at: Path): number {
  const mostMs = leadMs ?? Number.POSITIVE_INFINITY;
  const or = Math.min(DEFAULTS.spreadOverMs, mostMs);
  const spreadOverMs = span(spreadOver, at('spreadOver'), { or, min: 0 });
  if (spreadOverMs <= mostMs) return spreadOverMs;
  const rule = `must be at most \`leadTime\` (${mostMs} ms): the run would not be done before the peak`;
  throw new InvalidOptionError(at('spreadOver'), spreadOver, rule);
}

function resolvePriority(priority: number | undefined, path: string): number | null {
  if (priority === undefined) return null;
  if (Number.isSafeInteger(priority) && priority >= 1 && priority <= MOST_PRIORITY) return priority;
  const rule = `must be a whole number from 1 to ${MOST_PRIORITY}`;
  throw new InvalidOptionError(path, priority, rule);
}

function resolveOverlap(
  overlap: WarmUpDefinition<never>['overlap'] = 'skip',
  path: string,
): 'skip' | 'queue' {
  if (overlap === 'skip' || overlap === 'queue') return overlap;
  throw new InvalidOptionError(path, overlap, "must be 'skip' or 'queue'");
}
