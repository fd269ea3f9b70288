import { type Staleness, usability } from '../policy/freshness.ts';
import type { ExplainedEntry } from './explanation.ts';

/** What an entry that is there is good for. */
export function entryState(
  loader: Staleness,
  header: { readonly expiresAtMs: number; readonly invalidated: boolean },
  nowMs: number,
): ExplainedEntry['state'] {
  const use = usability(header, loader, nowMs);
  if (use === 'fresh') return 'fresh';
  if (use === 'none') return 'expired';
  return header.invalidated ? 'invalidated' : 'stale';
}
