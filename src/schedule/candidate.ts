import type { Plan } from '../policy/plan.ts';
import type { Lives } from '../policy/waste.ts';
import type { Refresh } from '../queue/refresh-queue.ts';
import type { ClaimedKey } from '../redis/claim.ts';
import type { EntryHeader } from '../redis/entry.ts';

/** A claimed key with what is planned for it. */
export interface Candidate {
  readonly claimed: ClaimedKey;
  readonly header: EntryHeader | null;
  readonly plan: Plan;
}

/** The `room` most valuable of the candidates that are worth a refresh: λ·δ, the reads that would wait. */
export function mostValuable(worth: readonly Candidate[], room: number): ReadonlySet<Candidate> {
  if (worth.length <= room) return new Set(worth);
  return new Set([...worth].sort((a, b) => readsSaved(b) - readsSaved(a)).slice(0, room));
}

export function toRefresh({ claimed, header, plan }: Candidate, isBehind: boolean): Refresh {
  const { expiresAtMs, unreadLives } =
    plan.kind === 'refresh' ? plan : { expiresAtMs: 0, unreadLives: 0 };
  return {
    key: claimed.key,
    seenCreatedAtMs: header?.createdAtMs ?? 0,
    logHeat: claimed.logHeat ?? Number.NaN,
    unreadLives,
    expiresAtMs,
    // Behind, a claim runs out because its job waits; else because its job died, perhaps of this key.
    isAlone: claimed.after === 'lost-claim' && !isBehind,
  };
}

/** When to look next at each key that is not refreshed now; a refresh there is no room for stays due. */
export function duesOf(
  candidates: readonly Candidate[],
  chosen: ReadonlySet<Candidate>,
  nowMs: number,
): Map<string, number | null> {
  const dues = new Map<string, number | null>();
  for (const candidate of candidates) {
    if (chosen.has(candidate)) continue;
    const { claimed, plan } = candidate;
    if (plan.kind === 'drop') dues.set(claimed.key, null);
    else dues.set(claimed.key, plan.kind === 'wait' ? plan.untilMs : nowMs);
  }
  return dues;
}

function readsSaved({ plan }: Candidate): number {
  return plan.kind === 'refresh' ? plan.valueReads : 0;
}

/** What became of the lives that these plans end; a key that comes back from a lost job or a backoff was judged before. */
export function livesEnded(
  candidates: readonly Candidate[],
  dues: ReadonlyMap<string, number | null>,
): Lives {
  let used = 0;
  let wasted = 0;
  for (const { claimed, plan } of candidates) {
    if (plan.kind === 'wait' || claimed.after !== 'look') continue;
    const isPutOff = plan.kind === 'refresh' && dues.has(claimed.key);
    if (isPutOff) continue;
    if (plan.ended === 'used') used++;
    else if (plan.ended === 'wasted') wasted++;
  }
  return { used, wasted };
}
