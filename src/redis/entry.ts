import { crc32 } from 'node:zlib';
import type { Smoothed } from '../policy/load-time.ts';

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
 * The Lua scripts compare bytes 0–2, flag byte 3 and createdAt in place: change them together.
 */
export const HEADER_BYTES = 40;
export const FORMAT_VERSION = 1;
export const CODEC_MSGPACK = 1;

const MAGIC = 0x4557;
const FLAG_INVALIDATED = 0x04;
const FLAG_REFRESHED = 0x08;
const READABLE_FLAGS = FLAG_INVALIDATED | FLAG_REFRESHED;
const CRC_AT = 32;

export interface EntryHeader {
  /** When the load that made the value started. */
  readonly createdAtMs: number;
  /** End of freshness: the end of the load plus the ttl. */
  readonly expiresAtMs: number;
  readonly load: Smoothed;
  /** Log-heat when this life began; NaN when a reader loaded it. */
  readonly logHeat: number;
  readonly unreadLives: number;
  readonly invalidated: boolean;
}

export interface Entry {
  readonly header: EntryHeader;
  readonly payload: Buffer;
}

export function encodeEntry(header: EntryHeader, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes[2] = FORMAT_VERSION;
  bytes[3] =
    (header.invalidated ? FLAG_INVALIDATED : 0) |
    (Number.isNaN(header.logHeat) ? 0 : FLAG_REFRESHED);
  bytes.writeUIntBE(Math.round(header.createdAtMs), 4, 6);
  bytes.writeUIntBE(Math.round(header.expiresAtMs), 10, 6);
  bytes.writeFloatBE(header.load.meanMs, 16);
  bytes.writeFloatBE(header.load.deviationMs, 20);
  bytes.writeDoubleBE(header.logHeat, 24);
  bytes[36] = CODEC_MSGPACK;
  bytes[37] = Math.min(header.unreadLives, 255);
  bytes.writeUInt16BE(0, 38);
  bytes.set(payload, HEADER_BYTES);
  bytes.writeUInt32BE(checksum(bytes), CRC_AT);
  return bytes;
}

/** The header alone, unverified: all that a scheduler needs. Null: not an entry of a known format. */
export function decodeHeader(bytes: Buffer): EntryHeader | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== MAGIC) return null;
  if (bytes[2] !== FORMAT_VERSION) return null;
  return {
    createdAtMs: bytes.readUIntBE(4, 6),
    expiresAtMs: bytes.readUIntBE(10, 6),
    load: { meanMs: bytes.readFloatBE(16), deviationMs: bytes.readFloatBE(20) },
    logHeat: bytes.readDoubleBE(24),
    unreadLives: bytes[37] ?? 0,
    invalidated: ((bytes[3] ?? 0) & FLAG_INVALIDATED) !== 0,
  };
}

/** A verified entry; null for bytes that are not ours, of another format, or damaged. */
export function decodeEntry(bytes: Buffer): Entry | null {
  const header = decodeHeader(bytes);
  if (!header || bytes[36] !== CODEC_MSGPACK || ((bytes[3] ?? 0) & ~READABLE_FLAGS) !== 0)
    return null;
  if (checksum(bytes) !== bytes.readUInt32BE(CRC_AT)) return null;
  const payloadAt = HEADER_BYTES + bytes.readUInt16BE(38);
  return payloadAt > bytes.length ? null : { header, payload: bytes.subarray(payloadAt) };
}

/** createdAt as it stands in an entry: the scripts compare it as bytes. 0 for "no entry". */
export function createdAtBytes(createdAtMs: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(Math.round(createdAtMs), 0, 6);
  return bytes;
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
