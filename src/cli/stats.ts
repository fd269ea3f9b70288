import type { RoleFlags } from '../../workers/run-role.ts';
import { printSpan } from '../core/print-span.ts';
import { hitShareOf } from '../observe/fleet-rates.ts';
import { type LoaderStatus, readLoaderStatus } from '../observe/loader-status.ts';
import { loadersNamed } from './named-loaders.ts';
import { withSession } from './session.ts';

export type StatsFlags = RoleFlags & { readonly json?: boolean };

const NUMBERS = new Intl.NumberFormat('en');

/** Prints how each loader does in the whole fleet. */
export async function runStats(names: readonly string[], flags: StatsFlags): Promise<void> {
  const chosen = await loadersNamed(names, flags);
  const loaders = await withSession(flags, ({ servers: { queue, clock }, keys }) =>
    Promise.all(chosen.map((loader) => readLoaderStatus({ queue, keys, clock }, loader))),
  );
  const text = flags.json ? JSON.stringify({ loaders }) : loaders.map(printStatus).join('\n\n');
  process.stdout.write(`${text}\n`);
}

/** A loader's status as lines for people. */
export function printStatus(status: LoaderStatus): string {
  const rows = rowsOf(status);
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const lines = rows.map(([label, text]) => `  ${label.padEnd(width)}${text}`);
  return [`${status.loader}, version ${status.version}`, ...lines].join('\n');
}

function rowsOf(status: LoaderStatus): (readonly [label: string, text: string])[] {
  const { atMs, mode, pausedAtMs, trackedKeys, hotKeys, failingKeys, threshold, lives } = status;
  const number = (count: number): string => NUMBERS.format(count);
  const ended = lives.used + lives.wasted;
  const wasted = ended === 0 ? '' : `, ${((100 * lives.wasted) / ended).toFixed(1)} % wasted`;
  const { schedulerAtMs, shadowAtMs, workerAtMs } = status.seen;
  return [
    ['refreshing', pausedAtMs === null ? mode : `paused for ${printSpan(atMs - pausedAtMs)}`],
    ['tracked keys', `${number(trackedKeys)}, ${number(hotKeys)} hot`],
    ['failing keys', number(failingKeys)],
    ['threshold', `${threshold.toFixed(1)} recent reads`],
    ['load time', printSmoothed(status.load)],
    ['queue wait', printSmoothed(status.queueWait)],
    ['backlog', `${number(status.backlogKeys)} keys`],
    ['reads', printReads(status)],
    ['loads', printLoads(status)],
    ['lives', `${number(lives.used)} used, ${number(lives.wasted)} wasted${wasted}`],
    ['origin', printOrigin(status)],
    ['scheduler', printSeen(schedulerAtMs, atMs)],
    ...(shadowAtMs === null ? [] : [['shadow', printSeen(shadowAtMs, atMs)] as const]),
    ['worker', printSeen(workerAtMs, atMs)],
  ];
}

function printReads({ reads }: LoaderStatus): string {
  if (reads === null) return 'none in the last minute';
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const { memory, redis, stale, waited, failed } = reads;
  return [
    `${reads.readsPerSecond.toFixed(1)}/s in the last minute`,
    `${percent(hitShareOf(reads))} hits (memory ${percent(memory)}, redis ${percent(redis)}, stale ${percent(stale)})`,
    `${percent(waited)} waited`,
    ...(failed > 0 ? [`${percent(failed)} failed`] : []),
  ].join(', ');
}

function printLoads({ loads }: LoaderStatus): string {
  const { loadsPerSecond, landedPerSecond, late, leadMs } = loads;
  return [
    `${loadsPerSecond.toFixed(1)}/s in the last minute`,
    `${landedPerSecond.toFixed(1)}/s refreshes landed`,
    ...(leadMs === null ? [] : [`${printSpan(leadMs)} before expiry`]),
    ...(late > 0 ? [`${NUMBERS.format(late)} after it`] : []),
  ].join(', ');
}

function printOrigin({ origin, atMs }: LoaderStatus): string {
  if (origin === null) return 'no budget';
  const { breaker, untilMs, pausedUntilMs, inFlight, rate, isLimiting } = origin;
  const parts = [
    breaker === 'closed'
      ? ''
      : `breaker ${breaker}${untilMs === null ? '' : ` for another ${printSpan(untilMs - atMs)}`}`,
    pausedUntilMs === null ? '' : `asked for a pause of another ${printSpan(pausedUntilMs - atMs)}`,
    rate === null ? '' : `${rate.max} calls per ${printSpan(rate.perMs)}`,
    `${inFlight} calls under way`,
    isLimiting ? 'less than is wanted' : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function printSmoothed(span: LoaderStatus['load']): string {
  if (span === null || span.meanMs === 0) return 'not known';
  return `${printSpan(span.meanMs)} ± ${printSpan(span.deviationMs)}`;
}

function printSeen(seenAtMs: number | null, atMs: number): string {
  return seenAtMs === null ? 'never seen' : `seen ${printSpan(Math.max(0, atMs - seenAtMs))} ago`;
}
