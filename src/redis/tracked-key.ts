import { withinTimeout } from './connection.ts';
import type { TrackerKeys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';

export interface Failure {
  readonly attempts: number;
  readonly error: string;
  readonly retryAtMs: number;
}

/** What the tracker knows of one key. */
export interface TrackedKey {
  /** Null: not tracked. */
  readonly logHeat: number | null;
  /** Null: nobody will look at it before it is read again. */
  readonly due: { readonly atMs: number; readonly kind: DueKind } | null;
  readonly failure: Failure | null;
  readonly bornAtMs: number | null;
}

/** A plain due; one that a scheduler or worker is on; or one that reads do not bring forward. */
type DueKind = 'look' | 'claim' | 'backoff';

/** Reads all that a tracker has of one key; changes nothing. */
export async function lookAtKey(
  redis: RedisClient,
  { heat, due, failing, born }: TrackerKeys,
  key: string,
): Promise<TrackedKey> {
  const asked = redis
    .pipeline()
    .zscore(heat, key)
    .zscore(due, key)
    .hget(failing, key)
    .get(born)
    .exec();
  const replies = (await withinTimeout(asked, `looking at a key of ${heat}`)) ?? [];
  const [logHeat, dueAt, failure, bornAt] = replies.map(([error, reply]) => {
    if (error) throw error;
    return reply as string | null;
  });
  return {
    logHeat: logHeat ? Number(logHeat) : null,
    due: dueOf(dueAt ?? null),
    failure: failureOf(failure ?? null),
    bornAtMs: bornAt ? Number(bornAt) : null,
  };
}

/** A failure as it stands in the tracker; null for none, and for what is not ours. */
export function failureOf(text: string | null): Failure | null {
  try {
    return text === null ? null : (JSON.parse(text) as Failure);
  } catch {
    return null;
  }
}

/** A due as it stands in the tracker. */
export function dueOf(score: string | null): TrackedKey['due'] {
  return score ? { atMs: Number(score), kind: dueKind(Number(score)) } : null;
}

function dueKind(due: number): DueKind {
  if (due % 1 === 0) return 'look';
  return due % 1 === 0.25 ? 'backoff' : 'claim';
}
