import { printSpan } from '../core/print-span.ts';
import { heatOf, type Plan, type PlanInput, plan } from './plan.ts';

/** What a key's due in the tracker says. */
export interface DueState {
  readonly atMs: number;
  /** `look`: planned; `claim`: somebody is on it; `backoff`: it failed, or its loader is at its limit. */
  readonly kind: 'look' | 'claim' | 'backoff';
}

export interface ExplainInput {
  /** What a scheduler that looked now would plan by. */
  readonly plan: PlanInput;
  /** Null: nobody will look at the key before it is read again. */
  readonly due: DueState | null;
  /** Failed refreshes in a row, with the last one's error; null: none. */
  readonly failure: { readonly attempts: number; readonly error: string } | null;
  /** What keeps the loader's keys from being refreshed; null: nothing. */
  readonly hindrance: Hindrance | null;
}

/** Why no key of a loader is refreshed, whatever its heat. */
export type Hindrance =
  | { readonly kind: 'off' }
  | { readonly kind: 'paused'; readonly sinceAtMs: number }
  | { readonly kind: 'shadow' }
  | { readonly kind: 'no-scheduler'; readonly seenAtMs: number | null };

/** Whether a key is refreshed, or the first thing that stands against it. */
export type Verdict =
  | 'planned'
  | 'claimed'
  | 'backoff'
  | 'cold'
  | 'unread'
  | 'undue'
  | 'untracked'
  | Hindrance['kind'];

export interface ExplainedRefresh {
  readonly verdict: Verdict;
  /** When it is refreshed, epoch ms, if it goes on being read as now; null: not before that changes. */
  readonly refreshAtMs: number | null;
  /** One sentence without its subject: `is refreshed in 12.3 s: 41 recent reads, threshold 8`. */
  readonly sentence: string;
}

/** What the key's own state says, as if nothing stood against its loader. */
interface Outcome {
  readonly verdict: Exclude<Verdict, Hindrance['kind']>;
  readonly refreshAtMs: number | null;
  readonly when: string;
  readonly why: string;
}

/** A plan that waits is asked again at the time it waits for; more often only where that answer waits too. */
const MOST_LOOKS = 4;

/** Says in one sentence why a key is refreshed or not, by what the scheduler would plan itself. */
export function explainRefresh(input: ExplainInput): ExplainedRefresh {
  const { hindrance } = input;
  const outcome = outcomeOf(input);
  const { verdict, refreshAtMs, when, why } = outcome;
  if (hindrance === null) return { verdict, refreshAtMs, sentence: `${when}: ${why}` };
  const obstacle = printHindrance(hindrance, input.plan.nowMs);
  if (hindrance.kind !== 'off' && refreshAtMs === null) {
    // Without the hindrance it would not be refreshed either.
    return { verdict, refreshAtMs, sentence: `${when}: ${why}; besides, ${obstacle}` };
  }
  const otherwise = `, else it ${when.replace(/^is /, 'would be ')} (${why})`;
  const sentence = `is not refreshed: ${obstacle}${hindrance.kind === 'off' ? '' : otherwise}`;
  return { verdict: hindrance.kind, refreshAtMs: null, sentence };
}

function outcomeOf({ plan: now, due, failure }: ExplainInput): Outcome {
  const { nowMs } = now;
  if (now.logHeat === null) {
    const why = 'nobody has read it of late, or its reads are not counted';
    return { verdict: 'untracked', refreshAtMs: null, when: 'is not tracked', why };
  }
  const leftMs = due === null ? 0 : due.atMs - nowMs;
  if (due?.kind === 'backoff' && leftMs > 0) {
    return {
      verdict: 'backoff',
      refreshAtMs: due.atMs,
      when: `waits ${printSpan(leftMs)}`,
      why: failure ? `after ${printFailures(failure)}` : 'its loader was at its limit',
    };
  }
  if (due?.kind === 'claim' && leftMs > 0) return claimed(now, leftMs);
  return due === null ? undue(now) : planned(now, due.atMs);
}

/** Somebody looks at it, or is on it: a plan that is no refresh means that it has only been looked at. */
function claimed(now: PlanInput, leftMs: number): Outcome {
  if (plan(now).kind !== 'refresh') return planned(now, now.nowMs);
  const why = `it is claimed for another ${printSpan(leftMs)}, ${printHeat(now)}`;
  return { verdict: 'claimed', refreshAtMs: now.nowMs, when: 'is refreshed now', why };
}

/** Nobody looks at it: what would be planned tells why, mostly. */
function undue(now: PlanInput): Outcome {
  const { decision } = foresee(now, now.nowMs);
  const why = whyGivenUp(decision);
  if (why !== null) return dropped(why, now);
  const text = `nobody looks at it before it is read again, ${printHeat(now)}`;
  return { verdict: 'undue', refreshAtMs: null, when: 'is not refreshed', why: text };
}

function planned(now: PlanInput, dueAtMs: number): Outcome {
  const { decision, atMs } = foresee(now, Math.max(now.nowMs, dueAtMs));
  const why = whyGivenUp(decision);
  if (why !== null) return dropped(why, now);
  const leftMs = atMs - now.nowMs;
  const when =
    leftMs > 0 ? `is refreshed in ${printSpan(leftMs)}` : 'is refreshed at the next tick';
  return { verdict: 'planned', refreshAtMs: atMs, when, why: printHeat(now) };
}

/**
 * What a scheduler decides that first looks at `atMs`, and when, if the key goes on being read at its
 * present rate: then it has as many recent reads as now.
 */
function foresee(
  now: PlanInput,
  firstLookAtMs: number,
): { readonly decision: Plan; readonly atMs: number } {
  let atMs = firstLookAtMs;
  let decision = plan(readOnUntil(now, atMs));
  for (let look = 1; look < MOST_LOOKS && isPutOff(decision); look++) {
    atMs = decision.untilMs;
    decision = plan(readOnUntil(now, atMs));
  }
  return { decision, atMs };
}

/** A key that waits because it was given up is looked at once more, but not refreshed. */
function isPutOff(decision: Plan): decision is Extract<Plan, { kind: 'wait' }> {
  return decision.kind === 'wait' && whyGivenUp(decision) === null;
}

function whyGivenUp(decision: Plan): 'cold' | 'unread' | 'missing' | null {
  if (decision.kind === 'drop') return decision.why;
  if (decision.kind === 'refresh' || decision.why === 'early') return null;
  return decision.why === 'reloaded' ? null : decision.why;
}

function readOnUntil(now: PlanInput, nowMs: number): PlanInput {
  const laterMs = nowMs - now.nowMs;
  return {
    ...now,
    nowMs,
    trackerAgeMs: now.trackerAgeMs + laterMs,
    logHeat: now.logHeat === null ? null : now.logHeat + laterMs / now.settings.halfLifeMs,
  };
}

function dropped(why: 'cold' | 'unread' | 'missing', now: PlanInput): Outcome {
  const when = 'is not refreshed';
  if (why === 'unread') {
    const lives = now.header?.unreadLives ?? 0;
    const text = `nobody has read its last ${lives} lives`;
    return { verdict: 'unread', refreshAtMs: null, when, why: text };
  }
  const { recentReads, threshold } = heatOf(now);
  const reads = `${printReads(recentReads)} recent reads`;
  const text = `${reads} are under the threshold ${printThreshold(threshold)}`;
  return { verdict: 'cold', refreshAtMs: null, when, why: text };
}

function printHeat(now: PlanInput): string {
  const { recentReads, threshold } = heatOf(now);
  return `${printReads(recentReads)} recent reads, threshold ${printThreshold(threshold)}`;
}

/** Whole numbers from 10 on; rounded down, and thresholds up, so that what is under one looks like it. */
function printReads(reads: number): string {
  return reads >= 10 ? String(Math.floor(reads)) : String(Math.floor(reads * 10) / 10);
}

export function printThreshold(reads: number): string {
  return String(reads >= 10 ? Math.ceil(reads) : Math.ceil(reads * 10) / 10);
}

function printFailures({ attempts, error }: { attempts: number; error: string }): string {
  return `${attempts} ${attempts === 1 ? 'failure' : 'failures'}: ${error}`;
}

function printHindrance(hindrance: Hindrance, nowMs: number): string {
  switch (hindrance.kind) {
    case 'off':
      return 'its loader has `refresh: false`';
    case 'paused':
      return `refreshing of its loader was paused ${printSpan(nowMs - hindrance.sinceAtMs)} ago`;
    case 'shadow':
      return 'its loader is in shadow mode';
    case 'no-scheduler':
      return hindrance.seenAtMs === null
        ? 'no scheduler of its loader was ever seen'
        : `no scheduler of its loader was seen for ${printSpan(nowMs - hindrance.seenAtMs)}`;
  }
}
