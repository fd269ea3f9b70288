import { decodeValue } from './codec.ts';
import { decodeEntry, decodeHeader, type EntryHeader } from './entry.ts';

/** What the bytes under an entry's key hold: a value, or a reason to treat them as a miss. */
export type StoredValue =
  | { readonly header: EntryHeader; readonly value: unknown; readonly isReadable: true }
  | { readonly header: EntryHeader | null; readonly isReadable: false };

/** Never throws: foreign, damaged and undecodable bytes are unreadable. */
export function readStored(bytes: Buffer): StoredValue {
  const entry = decodeEntry(bytes);
  if (!entry || entry.header.invalidated) return { header: decodeHeader(bytes), isReadable: false };
  try {
    return { header: entry.header, value: decodeValue(entry.payload), isReadable: true };
  } catch {
    return { header: entry.header, isReadable: false };
  }
}
