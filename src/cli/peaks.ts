import type { RoleFlags } from '../../workers/run-role.ts';
import type { AnyLoader } from '../loaders/define-loader.ts';
import { keysTaking } from '../policy/expected-keys.ts';
import { History } from '../redis/history.ts';
import { Tracker } from '../redis/tracker.ts';
import { zoneOf } from '../warm/fire-times.ts';
import {
  type HourSummary,
  type PeakProfile,
  peakProfile,
  profileHours,
} from '../warm/peak-profile.ts';
import type { Zone } from '../warm/zone.ts';
import { loaderNamed } from './named-loaders.ts';
import { printPeaks } from './print-peaks.ts';
import { type Session, withSession } from './session.ts';

export type PeaksFlags = RoleFlags & { readonly json?: boolean; readonly timezone?: string };

/** A plan for a peak has the keys that take so much of its reads. */
const MOST_READS = 0.9;
const READ_AT_A_TIME = 8;

/** `everwarm peaks`: prints when a loader is read most, of the last week, and a plan for it. */
export async function runPeaks(name: string, flags: PeaksFlags): Promise<void> {
  const { timezone = new Intl.DateTimeFormat().resolvedOptions().timeZone } = flags;
  const zone = zoneOf(timezone, '--timezone');
  const loader = await loaderNamed(name, flags);
  const profile = await withSession(flags, (session) => profileOf(loader, zone, session));
  const text = flags.json
    ? JSON.stringify({ loader: loader.name, ...profile })
    : printPeaks(loader.name, profile);
  process.stdout.write(`${text}\n`);
}

async function profileOf(
  loader: AnyLoader,
  zone: Zone,
  { servers, keys }: Session,
): Promise<PeakProfile> {
  const { queue: redis, clock } = servers;
  const tracker = new Tracker(redis, keys, loader);
  const history = new History({ redis, keys, loader, tracker });
  const nowMs = clock.now();
  const hours = profileHours(nowMs, zone);
  const summaries: HourSummary[] = [];
  // Not all at once: a week has a million keys.
  for (let from = 0; from < hours.length; from += READ_AT_A_TIME) {
    const some = hours.slice(from, from + READ_AT_A_TIME);
    const read = await Promise.all(some.map((hour) => summaryOf(hour, history)));
    summaries.push(...read.filter((summary) => summary !== null));
  }
  return peakProfile(summaries, nowMs, zone);
}

/** Null of an hour that nobody wrote down, or without its reads. */
async function summaryOf(hour: number, history: History): Promise<HourSummary | null> {
  const record = await history.read(hour);
  if (!record?.heat || !record.reads) return null;
  const recentReads = record.reads.reduce((sum, one) => sum + one, 0);
  return { hour, ...record.heat, recentReads, hotKeys: keysTaking(MOST_READS, record) ?? 0 };
}
