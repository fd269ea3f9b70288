export interface Claim {
  /** Names the claim: dues are changed only while they equal it. */
  readonly untilMs: number;
  readonly keys: readonly ClaimedKey[];
  /** When the tracker began to count reads, epoch ms; null when it is empty. */
  readonly bornAtMs: number | null;
  /** When the next key is due, epoch ms; null when none is tracked. */
  readonly nextDueAtMs: number | null;
}

export interface ClaimedKey {
  readonly key: string;
  readonly logHeat: number | null;
  /** What its due said: an earlier claim ran out (its job died or came too late), or a backoff did. */
  readonly after: 'look' | 'lost-claim' | 'backoff';
}

const AFTER: Readonly<Record<string, ClaimedKey['after']>> = { '1': 'lost-claim', '2': 'backoff' };

/** What the script answered. */
export function claimOf(reply: readonly string[]): Claim {
  const [nextDue, bornAt, until, ...claimed] = reply;
  const keys: ClaimedKey[] = [];
  for (let at = 0; at + 2 < claimed.length; at += 3) {
    const logHeat = claimed[at + 1];
    keys.push({
      key: claimed[at] ?? '',
      logHeat: logHeat ? Number(logHeat) : null,
      after: AFTER[claimed[at + 2] ?? ''] ?? 'look',
    });
  }
  return {
    untilMs: Number(until),
    keys,
    bornAtMs: bornAt ? Number(bornAt) : null,
    nextDueAtMs: nextDue ? Number(nextDue) : null,
  };
}
