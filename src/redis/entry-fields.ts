import type { CompressionAlgorithm } from '../config/value-format.ts';
import { InvalidOptionError } from '../core/errors.ts';

/*
 * The fields of an entry's extension, one after the other: type (1 byte), length (2 bytes, big-endian),
 * bytes. Types that a reader does not know are skipped: newer writers may add some.
 */
const TYPE_ETAG = 1;
const TYPE_CODEC_NAME = 2;
const TYPE_COMPRESSION = 3;
const FIELD_HEAD_BYTES = 3;

/** Longest ETag that is kept, as UTF-8. */
export const MAX_ETAG_BYTES = 1_024;

const ALGORITHM_IDS: Readonly<Record<CompressionAlgorithm, number>> = { gzip: 1, brotli: 2 };

const NO_FIELDS = Buffer.alloc(0);

export interface EntryFields {
  readonly etag: string | null;
  /** Name of the codec, if it is a custom one. */
  readonly codecName: string | null;
  readonly compression: CompressionAlgorithm | null;
}

/** @throws InvalidOptionError for an ETag over its limit */
export function encodeFields({ etag, codecName, compression }: EntryFields): Buffer {
  if (etag === null && codecName === null && compression === null) return NO_FIELDS;
  const fields: Buffer[] = [];
  if (etag !== null) {
    const bytes = Buffer.from(etag);
    if (bytes.length > MAX_ETAG_BYTES) {
      throw new InvalidOptionError('etag', etag, `must be at most ${MAX_ETAG_BYTES} bytes long`);
    }
    fields.push(field(TYPE_ETAG, bytes));
  }
  if (codecName !== null) fields.push(field(TYPE_CODEC_NAME, Buffer.from(codecName)));
  if (compression) fields.push(field(TYPE_COMPRESSION, Buffer.of(ALGORITHM_IDS[compression])));
  return Buffer.concat(fields);
}

/** Null: not a list of fields, or one of them holds what it cannot. */
export function decodeFields(bytes: Buffer): EntryFields | null {
  const found = new Map<number, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    const from = at + FIELD_HEAD_BYTES;
    if (from > bytes.length) return null;
    const end = from + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return null;
    found.set(bytes.readUInt8(at), bytes.subarray(from, end));
    at = end;
  }
  const etag = found.get(TYPE_ETAG);
  const compression = algorithmOf(found.get(TYPE_COMPRESSION));
  if (compression === undefined || (etag && etag.length > MAX_ETAG_BYTES)) return null;
  return {
    etag: etag?.toString() ?? null,
    codecName: found.get(TYPE_CODEC_NAME)?.toString() ?? null,
    compression,
  };
}

function field(type: number, value: Buffer): Buffer {
  const head = Buffer.allocUnsafe(FIELD_HEAD_BYTES);
  head[0] = type;
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/** Undefined: an algorithm of a newer writer. */
function algorithmOf(value: Buffer | undefined): CompressionAlgorithm | null | undefined {
  if (!value) return null;
  if (value.length !== 1) return undefined;
  if (value[0] === ALGORITHM_IDS.gzip) return 'gzip';
  return value[0] === ALGORITHM_IDS.brotli ? 'brotli' : undefined;
}
