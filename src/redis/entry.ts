import { crc32 } from 'node:zlib';
import type { CompressionAlgorithm } from '../config/value-format.ts';
import type { PlanHeader } from '../policy/plan.ts';
import { decodeFields, encodeFields } from './entry-fields.ts';

/*
 * An entry is a 40-byte header, an extension, and the payload; numbers are big-endian.
 *
 *    0  magic "EW"                        24  log-heat at commit, float64 (NaN: a reader loaded it)
 *    2  format version                    32  CRC-32 of all but itself, invalidated bit as 0
 *    3  flags                             36  codec id
 *    4  createdAt, ms (6 bytes)           37  unread lives in a row
 *   10  expiresAt, ms (6 bytes)           38  length of the extension
 *   16  smoothed load time, ms, float32   40  extension, payload
 *   20  its mean deviation, ms, float32
 *
 * Flags: 1 compressed, 2 not found, 4 invalidated, 8 refreshed. Codec ids: 1 msgpack, 2 JSON, 255 custom.
 * The Lua scripts compare bytes 0–2, flag byte 3 and createdAt in place: change them together.
 */
export const HEADER_BYTES = 40;
export const FORMAT_VERSION = 1;

const MAGIC = 0x4557;
const FLAG_COMPRESSED = 0x01;
const FLAG_NOT_FOUND = 0x02;
const FLAG_INVALIDATED = 0x04;
const FLAG_REFRESHED = 0x08;
const READABLE_FLAGS = FLAG_COMPRESSED | FLAG_NOT_FOUND | FLAG_INVALIDATED | FLAG_REFRESHED;
const CODEC_MSGPACK = 1;
const CODEC_JSON = 2;
/** A custom codec: its name stands in the extension. */
const CODEC_CUSTOM = 255;
const CRC_AT = 32;

export interface EntryHeader extends PlanHeader {
  /** The load found that there is no value; the payload is empty. */
  readonly notFound: boolean;
}

/** What is said about the payload, in the codec's id and the extension. */
export interface Extension {
  readonly etag: string | null;
  /** Name of the codec that encoded the payload: 'msgpack', 'json' or a custom one's. */
  readonly codec: string;
  readonly compression: CompressionAlgorithm | null;
}

export interface Entry {
  readonly header: EntryHeader;
  readonly extension: Extension;
  readonly payload: Buffer;
}

/** Plain msgpack: an extension of no bytes, and no object per read. */
const PLAIN: Extension = Object.freeze({ etag: null, codec: 'msgpack', compression: null });

/** @throws InvalidOptionError for an ETag over its limit */
export function encodeEntry(
  header: EntryHeader,
  payload: Uint8Array,
  extension: Extension = PLAIN,
): Buffer {
  const codecId = codecIdOf(extension.codec);
  const fields = fieldsOf(extension, codecId);
  const payloadAt = HEADER_BYTES + fields.length;
  const bytes = Buffer.allocUnsafe(payloadAt + payload.length);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes[2] = FORMAT_VERSION;
  bytes[3] =
    (extension.compression ? FLAG_COMPRESSED : 0) |
    (header.notFound ? FLAG_NOT_FOUND : 0) |
    (header.invalidated ? FLAG_INVALIDATED : 0) |
    (Number.isNaN(header.logHeat) ? 0 : FLAG_REFRESHED);
  bytes.writeUIntBE(Math.round(header.createdAtMs), 4, 6);
  bytes.writeUIntBE(Math.round(header.expiresAtMs), 10, 6);
  bytes.writeFloatBE(header.load.meanMs, 16);
  bytes.writeFloatBE(header.load.deviationMs, 20);
  bytes.writeDoubleBE(header.logHeat, 24);
  bytes[36] = codecId;
  bytes[37] = Math.min(header.unreadLives, 255);
  bytes.writeUInt16BE(fields.length, 38);
  if (fields.length > 0) bytes.set(fields, HEADER_BYTES);
  bytes.set(payload, payloadAt);
  bytes.writeUInt32BE(checksum(bytes), CRC_AT);
  return bytes;
}

/** The header alone, unverified: all that a scheduler needs. Null: not an entry of a known format. */
export function decodeHeader(bytes: Buffer): EntryHeader | null {
  if (!isOurs(bytes)) return null;
  const flags = bytes[3] ?? 0;
  return {
    createdAtMs: bytes.readUIntBE(4, 6),
    expiresAtMs: bytes.readUIntBE(10, 6),
    load: { meanMs: bytes.readFloatBE(16), deviationMs: bytes.readFloatBE(20) },
    logHeat: bytes.readDoubleBE(24),
    unreadLives: bytes[37] ?? 0,
    invalidated: (flags & FLAG_INVALIDATED) !== 0,
    notFound: (flags & FLAG_NOT_FOUND) !== 0,
  };
}

/**
 * The extension, unverified, of an entry's first bytes: header and extension are enough. Null: no entry
 * whose payload could be read.
 */
export function decodeExtension(bytes: Buffer): Extension | null {
  return isOurs(bytes) ? readExtension(bytes) : null;
}

/** A verified entry; null for bytes that are not ours, of another format, or damaged. */
export function decodeEntry(bytes: Buffer): Entry | null {
  const header = decodeHeader(bytes);
  if (!header || checksum(bytes) !== bytes.readUInt32BE(CRC_AT)) return null;
  const extension = readExtension(bytes);
  if (!extension) return null;
  return { header, extension, payload: bytes.subarray(payloadAtOf(bytes)) };
}

// Marking an entry as invalidated must not break its checksum: that bit counts as 0.
function checksum(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  bytes[3] = flags & ~FLAG_INVALIDATED;
  const head = crc32(bytes.subarray(0, CRC_AT));
  const sum = crc32(bytes.subarray(CRC_AT + 4), head);
  bytes[3] = flags;
  return sum;
}

function isOurs(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== MAGIC) return false;
  return bytes[2] === FORMAT_VERSION;
}

function payloadAtOf(bytes: Buffer): number {
  return HEADER_BYTES + bytes.readUInt16BE(38);
}

/** Null: flags, a codec or an extension that we cannot read, or that contradict each other. */
function readExtension(bytes: Buffer): Extension | null {
  const flags = bytes[3] ?? 0;
  const payloadAt = payloadAtOf(bytes);
  if ((flags & ~READABLE_FLAGS) !== 0 || payloadAt > bytes.length) return null;
  const isCompressed = (flags & FLAG_COMPRESSED) !== 0;
  if (payloadAt === HEADER_BYTES && !isCompressed && bytes[36] === CODEC_MSGPACK) return PLAIN;
  const fields = decodeFields(bytes.subarray(HEADER_BYTES, payloadAt));
  const codec = fields && codecNameOf(bytes[36], fields.codecName);
  if (!codec || (fields.compression !== null) !== isCompressed) return null;
  return { etag: fields.etag, codec, compression: fields.compression };
}

function fieldsOf({ etag, codec, compression }: Extension, codecId: number): Buffer {
  const codecName = codecId === CODEC_CUSTOM ? codec : null;
  return encodeFields({ etag, codecName, compression });
}

function codecIdOf(codec: string): number {
  if (codec === 'msgpack') return CODEC_MSGPACK;
  return codec === 'json' ? CODEC_JSON : CODEC_CUSTOM;
}

function codecNameOf(codecId: number | undefined, customName: string | null): string | null {
  if (codecId === CODEC_MSGPACK) return 'msgpack';
  if (codecId === CODEC_JSON) return 'json';
  return codecId === CODEC_CUSTOM ? customName : null;
}
