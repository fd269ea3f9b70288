import type { Events } from '../core/events.ts';
import type { Candidate } from './candidate.ts';

/** Share of the ttl after which a shadowed key's next life is first looked at. */
const NEXT_LOOK = 0.1;

export interface ShadowParts {
  readonly loader: { readonly name: string; readonly ttlMs: number };
  readonly events: Events;
}

/**
 * What a scheduler in shadow mode does in place of enqueueing: says which keys it would refresh, and
 * leaves each alone until its next life, which a reader has to begin.
 *
 * @returns when to look at each key next
 */
export function shadow(
  candidates: readonly Candidate[],
  nowMs: number,
  { loader, events }: ShadowParts,
): Map<string, number> {
  const dues = new Map<string, number>();
  for (const { claimed, header, plan } of candidates) {
    if (plan.kind !== 'refresh') continue;
    const { key } = claimed;
    // Not by the plan's expiry: that of an invalidated entry is now, and it stays as it is.
    const endsAtMs = Math.max(nowMs, header?.expiresAtMs ?? 0);
    dues.set(key, Math.ceil(Math.min(endsAtMs + NEXT_LOOK * loader.ttlMs, nowMs + loader.ttlMs)));
    const { valueReads, expiresAtMs } = plan;
    const why = header === null ? 'missing' : header.invalidated ? 'invalidated' : 'expiring';
    events.emit('refresh:planned', { loader: loader.name, key, why, valueReads, expiresAtMs });
  }
  return dues;
}
