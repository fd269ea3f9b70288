import { addReads } from '../../src/policy/heat.ts';
import { type PlanHeader, type PlanInput, type PlanSettings, plan } from '../../src/policy/plan.ts';

export const TTL_MS = 60_000;
/** Half-life of heat. */
export const H: number = 4 * TTL_MS;
export const COMMIT_MS = 1_750_000_000_000;
export const EXPIRES_AT_MS: number = COMMIT_MS + TTL_MS;
/** Lead = 200 + 4·50 + tick 250; the early part is at most a tenth of the ttl. */
export const LATEST_MS: number = EXPIRES_AT_MS - 650;
export const EARLIEST_MS: number = LATEST_MS - 6_000;

export const settings: PlanSettings = {
  ttlMs: TTL_MS,
  livesVary: false,
  halfLifeMs: H,
  tickMs: 250,
  minLeadMs: 0,
  beta: 1,
  spread: 0.1,
  keptExpiredMs: TTL_MS,
};

/** The log-heat of a key with that many recent reads. */
export function heat(reads: number, atMs: number): number {
  return addReads(null, reads, { atMs, halfLifeMs: H });
}

export const header: PlanHeader = {
  createdAtMs: COMMIT_MS - 200,
  expiresAtMs: EXPIRES_AT_MS,
  load: { meanMs: 200, deviationMs: 50 },
  logHeat: heat(50, COMMIT_MS),
  unreadLives: 0,
  invalidated: false,
};

/** A hot key whose entry is about to expire and was read in this life. */
export const hot: PlanInput = {
  header,
  logHeat: heat(100, LATEST_MS),
  key: 'sku-42',
  nowMs: LATEST_MS,
  trackerAgeMs: 30 * H,
  settings,
  threshold: 8,
  plannedAt: () => 0,
  loaderLoad: { meanMs: 80, deviationMs: 10 },
  wait: null,
  reloadedWithinTtl: false,
};

/** The instant from which the key is refreshed rather than waited for, by asking plan itself. */
export function refreshAtMs(input: PlanInput): number {
  const early = plan({ ...input, nowMs: COMMIT_MS });
  return early.kind === 'wait' ? early.untilMs : Number.NaN;
}
