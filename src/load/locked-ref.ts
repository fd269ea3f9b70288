import type { LoadTarget } from '../loaders/run-loader.ts';
import type { EntryHeader } from '../redis/entry.ts';
import type { EntryPlace } from '../redis/fence.ts';

/** A key to load: its loader and key text, and where its entry is. */
export type LoadRef = LoadTarget & EntryPlace;

/** A key whose lock is ours, and what its new entry's header takes over. */
export interface LockedRef {
  readonly ref: LoadRef;
  readonly token: string;
  /** The header found when the lock was taken. */
  readonly previous: EntryHeader | null;
  /** ETag of the entry in place, unverified. */
  readonly etag: string | null;
  /** Log-heat when the refresh was planned; NaN for a reader's load. */
  readonly logHeat: number;
  readonly unreadLives: number;
  /** A value lives at least until then, epoch ms; absent: for its ttl. */
  readonly liveUntilMs?: number | null;
}
