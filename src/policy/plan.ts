import { readRate, recentReads } from './heat.ts';
import { leadMs } from './lead-time.ts';
import type { Smoothed } from './load-time.ts';
import { leastPlannedMs, refreshTimesMs } from './refresh-times.ts';
import { thresholdAt } from './threshold.ts';
import { plannedLifeMs } from './varying-life.ts';

/** Bursts leave gaps of some lives; a key that stays unread for more has died. */
const UNREAD_LIVES_ALLOWED = 2;
/** Log-heats pass through Redis exactly; this only forgives a last digit. */
const SAME_LOG_HEAT = 1e-9;

/** What a scheduler knows of a key's entry: its header is the truth about expiry, load time and reads. */
export interface PlanHeader {
  /** When the load that made the value started. */
  readonly createdAtMs: number;
  /** End of freshness: the end of the load plus the ttl. */
  readonly expiresAtMs: number;
  /** Zeros if this entry's load was never timed. */
  readonly load: Smoothed;
  /** Log-heat at commit; NaN when a reader loaded this life, so that it counts as read. */
  readonly logHeat: number;
  /** Lives in a row, before this one, that nobody read. */
  readonly unreadLives: number;
  readonly invalidated: boolean;
}

export interface PlanSettings {
  readonly ttlMs: number;
  /** Entries may live for other spans than the ttl: each is planned by its own life. */
  readonly livesVary: boolean;
  readonly halfLifeMs: number;
  readonly tickMs: number;
  readonly minLeadMs: number;
  /** XFetch β. */
  readonly beta: number;
  /** Share of the ttl over which refreshes are spread. */
  readonly spread: number;
  /** How long an entry stays in Redis after its expiry. */
  readonly keptExpiredMs: number;
}

export interface PlanInput {
  /** Null when there is no entry. */
  readonly header: PlanHeader | null;
  /** The key's log-heat now; null when it is not tracked. */
  readonly logHeat: number | null;
  readonly key: string;
  readonly nowMs: number;
  /** How long reads have been counted: a young tracker's heats are low. */
  readonly trackerAgeMs: number;
  readonly settings: PlanSettings;
  /** θ: recent reads from which a key is worth a refresh. */
  readonly threshold: number;
  /** How many refreshes are planned around an instant: of several times the least busy is taken. */
  readonly plannedAt: (atMs: number) => number;
  /** The loader's load time, for keys whose own is unknown. */
  readonly loaderLoad: Smoothed | null;
  /** How long jobs wait in the queue. */
  readonly wait: Smoothed | null;
  /** Share of a life that the lead may take; less while its origin limits. @defaultValue 0.9 */
  readonly mostLeadShare?: number | undefined;
  /** Whether a missing entry of this key was already reloaded within the last ttl. */
  readonly reloadedWithinTtl: boolean;
}

/** What became of a refreshed entry's life that is over; null: not over, or not one to be judged by. */
export type EndedLife = 'used' | 'wasted' | null;

export type Plan =
  | {
      readonly kind: 'drop';
      readonly why: 'cold' | 'unread' | 'missing';
      readonly ended: EndedLife;
    }
  | {
      readonly kind: 'wait';
      readonly untilMs: number;
      /**
       * For the time of its refresh, which counts as planned even while the key is cold; given up as cold or
       * unread, for the end of a life that is only looked at to judge it; for the next reload of a missing entry.
       */
      readonly why: 'early' | 'cold' | 'unread' | 'reloaded';
    }
  | {
      readonly kind: 'refresh';
      /** λ·δ: reads that would wait for the origin; what the refresh is worth. */
      readonly valueReads: number;
      /** Unread lives in a row, for the new entry's header. */
      readonly unreadLives: number;
      /** 0 when there is no entry to answer from meanwhile. */
      readonly expiresAtMs: number;
      readonly ended: EndedLife;
    };

interface Outlook {
  readonly isHot: boolean;
  readonly ratePerMs: number;
  readonly loadMs: number;
}

/**
 * Decides about one due key: forget it, look again later, or refresh it now. A missing entry is reloaded
 * if the key is hot, once per ttl, and one that is marked as invalidated at any time. A present one waits for
 * its time to refresh even while cold, as heat may grow until then: the first look chooses that time, a later
 * one refreshes once the earliest has come, if the key is hot and its lives are read. A key is given up
 * when more lives in a row than bursts explain stayed unread. A life that a refresh began and no refresh
 * ends is looked at once more when it is over, to judge it. `untilMs` is a whole number, as in the tracker
 * a due that ends in .5 is a claim.
 */
export function plan(input: PlanInput): Plan {
  const { header, nowMs, settings } = input;
  const outlook = look(input);
  if (header === null) return planMissing(input, outlook);
  if (header.invalidated) return planInvalidated(input, header, outlook);
  const timesMs = timesToRefresh(input, header, outlook);
  if (nowMs + settings.tickMs < Math.min(...timesMs)) {
    return wait(leastPlannedMs(timesMs, input.plannedAt), 'early');
  }
  if (!outlook.isHot) return giveUp(input, header, 'cold');
  const isRead = wasRead(header, input.logHeat);
  if (!isRead && header.unreadLives >= UNREAD_LIVES_ALLOWED) return giveUp(input, header, 'unread');
  const ended = judged(input, header);
  const { expiresAtMs, unreadLives } = header;
  return refresh(outlook, { unreadLives: isRead ? 0 : unreadLives + 1, expiresAtMs, ended });
}

function giveUp(input: PlanInput, header: PlanHeader, why: 'cold' | 'unread'): Plan {
  const { nowMs, settings } = input;
  const { tickMs, keptExpiredMs } = settings;
  const ended = judged(input, header);
  // The header has to be there still.
  const lookAtMs = header.expiresAtMs + (keptExpiredMs > 2 * tickMs ? tickMs : -tickMs);
  if (ended === null || nowMs >= lookAtMs) return { kind: 'drop', why, ended };
  return wait(lookAtMs, why);
}

/** A life that a reader loaded is no refresh's; one without heat was lost with its tracker. */
function judged({ logHeat }: PlanInput, header: PlanHeader): EndedLife {
  if (Number.isNaN(header.logHeat) || logHeat === null) return null;
  return wasRead(header, logHeat) ? 'used' : 'wasted';
}

/** What makes a key hot or cold: its recent reads, and from how many on it is worth a refresh now. */
export function heatOf({ logHeat, nowMs, trackerAgeMs, threshold, settings }: PlanInput): {
  readonly recentReads: number;
  readonly threshold: number;
} {
  const { halfLifeMs } = settings;
  return {
    recentReads: recentReads(logHeat, { nowMs, halfLifeMs }),
    threshold: thresholdAt(threshold, { ageMs: trackerAgeMs, halfLifeMs }),
  };
}

/** The load time to reckon with: the entry's own, or the loader's. */
export function loadOf({ header, loaderLoad }: PlanInput): Smoothed | null {
  return header !== null && header.load.meanMs > 0 ? header.load : loaderLoad;
}

/** How long before expiry the refresh of this entry has to be planned. */
export function leadOf(input: PlanInput): number {
  const { header, wait, mostLeadShare: mostShare, settings } = input;
  const { tickMs, minLeadMs } = settings;
  const ttlMs = header === null ? settings.ttlMs : plannedLifeMs(header, settings);
  return leadMs({ load: loadOf(input), wait, tickMs, ttlMs, minLeadMs, mostShare });
}

function look(input: PlanInput): Outlook {
  const { recentReads: reads, threshold } = heatOf(input);
  const load = loadOf(input);
  // A load time nobody knows counts as the shortest one, so that hotter keys still come first.
  const loadMs = Math.max(load?.meanMs ?? 0, 1);
  const ratePerMs = readRate(reads, input.settings.halfLifeMs);
  return { isHot: reads >= threshold, ratePerMs, loadMs };
}

function planMissing({ nowMs, settings, reloadedWithinTtl }: PlanInput, outlook: Outlook): Plan {
  if (!outlook.isHot) return { kind: 'drop', why: 'missing', ended: null };
  if (reloadedWithinTtl) return wait(nowMs + settings.ttlMs / 2, 'reloaded');
  return refresh(outlook, { unreadLives: 0, expiresAtMs: 0, ended: null });
}

/** However often it was reloaded: each time something has changed. Its life was cut short, so it is not judged. */
function planInvalidated(
  { logHeat, nowMs }: PlanInput,
  header: PlanHeader,
  outlook: Outlook,
): Plan {
  if (!outlook.isHot) return { kind: 'drop', why: 'cold', ended: null };
  const { unreadLives } = header;
  const expiresAtMs = Math.floor(nowMs);
  if (wasRead(header, logHeat))
    return refresh(outlook, { unreadLives: 0, expiresAtMs, ended: null });
  if (unreadLives >= UNREAD_LIVES_ALLOWED) return { kind: 'drop', why: 'unread', ended: null };
  return refresh(outlook, { unreadLives, expiresAtMs, ended: null });
}

function timesToRefresh(
  input: PlanInput,
  header: PlanHeader,
  { ratePerMs, loadMs }: Outlook,
): readonly number[] {
  const { key, settings } = input;
  const { expiresAtMs } = header;
  const { beta, spread } = settings;
  const ttlMs = plannedLifeMs(header, settings);
  const lead = leadOf(input);
  return refreshTimesMs({ key, expiresAtMs, ttlMs, leadMs: lead, ratePerMs, loadMs, beta, spread });
}

/**
 * Unread is a log-heat that has not changed since commit. One that is lower was lost with its tracker (or
 * is of another half-life) and has been rebuilt by reads: dropping such a key would drop every hot one.
 */
function wasRead(header: PlanHeader, logHeat: number | null): boolean {
  if (logHeat === null) return false;
  return !(Math.abs(logHeat - header.logHeat) <= SAME_LOG_HEAT);
}

function wait(untilMs: number, why: Extract<Plan, { kind: 'wait' }>['why']): Plan {
  return { kind: 'wait', untilMs: Math.ceil(untilMs), why };
}

function refresh(
  { ratePerMs, loadMs }: Outlook,
  life: { readonly unreadLives: number; readonly expiresAtMs: number; readonly ended: EndedLife },
): Plan {
  const { unreadLives, expiresAtMs, ended } = life;
  return { kind: 'refresh', valueReads: ratePerMs * loadMs, unreadLives, expiresAtMs, ended };
}
