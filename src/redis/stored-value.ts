import type { ValueFormat } from '../config/value-format.ts';
import { decodeWith, encodeWith } from './codec.ts';
import { compress, decompress } from './compression.ts';
import { decodeEntry, decodeHeader, type Entry, type EntryHeader, encodeEntry } from './entry.ts';

/** What the bytes under an entry's key hold: a value, or a reason to treat them as a miss. */
export type StoredValue =
  | {
      readonly header: EntryHeader;
      /** Undefined in an entry that says that nothing was found. */
      readonly value: unknown;
      readonly etag: string | null;
      readonly isReadable: true;
    }
  // No ETag: "not modified" would confirm a value that nobody can read.
  | { readonly header: EntryHeader | null; readonly etag: null; readonly isReadable: false };

export interface StoreForm {
  readonly format: ValueFormat;
  readonly etag?: string | null;
}

const PLAIN: ValueFormat = Object.freeze({ codec: 'msgpack', compression: null });
const NOTHING = new Uint8Array(0);

/**
 * The bytes of an entry; of one whose header says not-found whatever the value.
 *
 * @throws EverwarmError CODEC_FAILED, InvalidOptionError for an ETag over its limit
 */
export function encodeStored(
  header: EntryHeader,
  value: unknown,
  { format, etag = null }: StoreForm,
): Buffer {
  if (header.notFound) {
    return encodeEntry(header, NOTHING, { etag, codec: 'msgpack', compression: null });
  }
  const payload = encodeWith(format, value);
  const packed = format.compression && compress(payload, format.compression);
  return encodeEntry(header, packed ?? payload, {
    etag,
    codec: typeof format.codec === 'string' ? format.codec : format.codec.name,
    compression: packed && format.compression ? format.compression.algorithm : null,
  });
}

/** Never throws: foreign, damaged and undecodable bytes are unreadable, as are those of another custom codec. */
export function readStored(bytes: Buffer, format: ValueFormat = PLAIN): StoredValue {
  const entry = decodeEntry(bytes);
  if (!entry) return unreadable(decodeHeader(bytes));
  const { header, extension } = entry;
  try {
    return { header, value: payloadValue(entry, format), etag: extension.etag, isReadable: true };
  } catch {
    return unreadable(header);
  }
}

function payloadValue({ header, extension, payload }: Entry, format: ValueFormat): unknown {
  if (header.notFound) return undefined;
  const { codec, compression } = extension;
  return decodeWith(codec, compression ? decompress(payload, compression) : payload, format);
}

function unreadable(header: EntryHeader | null): StoredValue {
  return { header, etag: null, isReadable: false };
}
