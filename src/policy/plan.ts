import { readRate, recentReads } from './heat.ts';
import { leadMs } from './lead-time.ts';
import type { Smoothed } from './load-time.ts';
import { thresholdAt } from './threshold.ts';
import { ownLifeMs } from './varying-life.ts';
import { earlyPartMs, hash01 } from './xfetch.ts';

/** Bursts leave gaps of some lives; a key that stays unread for more has died. */
const UNREAD_LIVES_ALLOWED = 3;
/** Log-heats pass through Redis exactly; this only forgives a last digit. */
const SAME_LOG_HEAT = 1e-9;
const GAP_SEED = 1;
const SPREAD_SEED = 2;

/** What a scheduler knows of a key's entry: its header is the truth about expiry, load time and reads. */
export interface PlanHeader {
  readonly createdAtMs: number;
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
  /** θ: recent reads from which a key is worth a refresh. */
  readonly threshold: number;
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
  /** The loader's load time, for keys whose own is unknown. */
  readonly loaderLoad: Smoothed | null;
  /** How long jobs wait in the queue. */
  readonly wait: Smoothed | null;
  /** Whether a missing entry of this key was already reloaded within the last ttl. */
  readonly reloadedWithinTtl: boolean;
}

export type Plan =
  | { readonly kind: 'drop'; readonly why: 'cold' | 'unread' | 'missing' }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | {
      readonly kind: 'refresh';
      /** λ·δ: reads that would wait for the origin; what the refresh is worth. */
      readonly valueReads: number;
      /** Unread lives in a row, for the new entry's header. */
      readonly unreadLives: number;
      /** 0 when there is no entry to answer from meanwhile. */
      readonly expiresAtMs: number;
    };

interface Outlook {
  readonly isHot: boolean;
  readonly ratePerMs: number;
  readonly loadMs: number;
}

/**
 * Decides about one due key: forget it, look again later, or refresh it now. A missing entry is reloaded
 * if the key is hot, once per ttl, and one that is marked as invalidated at any time. A present one waits for expiry − lead − R even while
 * cold, as heat may grow until then; at that time it is refreshed if it is hot and its lives are read.
 * A key is given up
 * when more lives in a row than bursts explain stayed unread. `untilMs` is a whole number, as in the tracker a due that ends in .5 is a claim.
 */
export function plan(input: PlanInput): Plan {
  const { header, nowMs, settings } = input;
  const outlook = look(input);
  if (header === null) return planMissing(input, outlook);
  if (header.invalidated) return planInvalidated(input, header, outlook);
  const refreshAtMs = planTimeMs(input, header, outlook);
  if (nowMs + settings.tickMs < refreshAtMs) return wait(refreshAtMs);
  if (!outlook.isHot) return { kind: 'drop', why: 'cold' };
  if (wasRead(header, input.logHeat)) return refresh(outlook, 0, header.expiresAtMs);
  if (header.unreadLives >= UNREAD_LIVES_ALLOWED) return { kind: 'drop', why: 'unread' };
  return refresh(outlook, header.unreadLives + 1, header.expiresAtMs);
}

/** What makes a key hot or cold: its recent reads, and from how many on it is worth a refresh now. */
export function heatOf({ logHeat, nowMs, trackerAgeMs, settings }: PlanInput): {
  readonly recentReads: number;
  readonly threshold: number;
} {
  const { halfLifeMs } = settings;
  return {
    recentReads: recentReads(logHeat, { nowMs, halfLifeMs }),
    threshold: thresholdAt(settings.threshold, { ageMs: trackerAgeMs, halfLifeMs }),
  };
}

/** The load time to reckon with: the entry's own, or the loader's. */
export function loadOf({ header, loaderLoad }: PlanInput): Smoothed | null {
  return header !== null && header.load.meanMs > 0 ? header.load : loaderLoad;
}

/** How long before expiry the refresh of this entry has to be planned. */
export function leadOf(input: PlanInput): number {
  const { header, wait, settings } = input;
  const { tickMs, minLeadMs } = settings;
  const ttlMs = header !== null && settings.livesVary ? ownLifeMs(header) : settings.ttlMs;
  return leadMs({ load: loadOf(input), wait, tickMs, ttlMs, minLeadMs });
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
  if (!outlook.isHot) return { kind: 'drop', why: 'missing' };
  return reloadedWithinTtl ? wait(nowMs + settings.ttlMs / 2) : refresh(outlook, 0, 0);
}

/** However often it was reloaded: each time something has changed. Its life was cut short, so it is not judged. */
function planInvalidated(
  { logHeat, nowMs }: PlanInput,
  header: PlanHeader,
  outlook: Outlook,
): Plan {
  if (!outlook.isHot) return { kind: 'drop', why: 'cold' };
  if (wasRead(header, logHeat)) return refresh(outlook, 0, Math.floor(nowMs));
  if (header.unreadLives >= UNREAD_LIVES_ALLOWED) return { kind: 'drop', why: 'unread' };
  return refresh(outlook, header.unreadLives, Math.floor(nowMs));
}

function planTimeMs(input: PlanInput, header: PlanHeader, { ratePerMs, loadMs }: Outlook): number {
  const { expiresAtMs } = header;
  const { beta, spread, livesVary } = input.settings;
  const ttlMs = livesVary ? ownLifeMs(header) : input.settings.ttlMs;
  const life = `${input.key}:${expiresAtMs}`;
  const lead = leadOf(input);
  const u = hash01(life, GAP_SEED);
  const v = hash01(life, SPREAD_SEED);
  const draw = { ratePerMs, loadMs, beta, u, v, spread, ttlMs, leadMs: lead };
  return expiresAtMs - lead - earlyPartMs(draw);
}

/**
 * Unread is a log-heat that has not changed since commit. One that is lower was lost with its tracker (or
 * is of another half-life) and has been rebuilt by reads: dropping such a key would drop every hot one.
 */
function wasRead(header: PlanHeader, logHeat: number | null): boolean {
  if (logHeat === null) return false;
  return !(Math.abs(logHeat - header.logHeat) <= SAME_LOG_HEAT);
}

function wait(untilMs: number): Plan {
  return { kind: 'wait', untilMs: Math.ceil(untilMs) };
}

function refresh({ ratePerMs, loadMs }: Outlook, unreadLives: number, expiresAtMs: number): Plan {
  return { kind: 'refresh', valueReads: ratePerMs * loadMs, unreadLives, expiresAtMs };
}
