import type { CompressionAlgorithm } from '../config/value-format.ts';
import { withinTimeout } from './connection.ts';
import { decodeExtension, decodeHeader, type EntryHeader, HEADER_BYTES } from './entry.ts';
import type { EntryPlace } from './fence.ts';
import type { RedisClient } from './redis-client.ts';

/** An entry as it lies in Redis, by its first bytes: unverified, its value unread. */
export interface EntryLook {
  readonly header: EntryHeader;
  /** Header, extension and payload; null where the extension is of a newer writer. */
  readonly codec: string | null;
  readonly compression: CompressionAlgorithm | null;
  readonly bytes: number;
}

export interface PlaceLook {
  /** Null: there is nothing; `'foreign'`: something that no reader takes for an entry. */
  readonly entry: EntryLook | 'foreign' | null;
  /** What is left of the lock of a load under way, in ms; null: nobody holds it. */
  readonly lockRemainingMs: number | null;
}

/** Longer than an extension with every field that we know. */
const MOST_EXTENSION_BYTES = 2_048;

/** Looks at an entry and its lock; changes nothing. Rejects when Redis fails. */
export async function lookAtPlace(
  redis: RedisClient,
  { entryKey, lockKey }: EntryPlace,
): Promise<PlaceLook> {
  const asked = redis
    .pipeline()
    .getrangeBuffer(entryKey, 0, HEADER_BYTES + MOST_EXTENSION_BYTES)
    .strlen(entryKey)
    .get(lockKey)
    .pttl(lockKey)
    .exec();
  const replies = (await withinTimeout(asked, `looking at ${entryKey}`)) ?? [];
  const [[foreign, first] = [], [, bytes] = [], [lockError, lock] = [], [, lockMs] = []] = replies;
  if (lockError) throw lockError;
  if (foreign && !foreign.message.startsWith('WRONGTYPE')) throw foreign;
  // Under a lock's key there may also be the outcome of a load that is over: it begins with '='.
  const isHeld = typeof lock === 'string' && /^[^=\n]/.test(lock);
  return {
    entry: foreign ? 'foreign' : entryOf(first as Buffer, Number(bytes)),
    lockRemainingMs: isHeld ? Math.max(0, Number(lockMs)) : null,
  };
}

function entryOf(first: Buffer, bytes: number): PlaceLook['entry'] {
  if (bytes === 0) return null;
  const header = decodeHeader(first);
  if (!header) return 'foreign';
  const extension = decodeExtension(first);
  const { codec = null, compression = null } = extension ?? {};
  return { header, codec, compression, bytes };
}
