import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEntry,
  decodeExtension,
  type EntryHeader,
  type Extension,
  encodeEntry,
  HEADER_BYTES,
} from '../../../src/redis/entry.ts';

const LENGTH_AT = 38;
const INVALIDATED = 0x04;

const HEADER: EntryHeader = {
  createdAtMs: 1_790_000_000_123,
  expiresAtMs: 1_790_000_300_456,
  load: { meanMs: 12.5, deviationMs: 0.25 },
  logHeat: Number.NaN,
  unreadLives: 0,
  invalidated: false,
  notFound: false,
};
const PAYLOAD = Buffer.from('payload');
const PLAIN: Extension = { etag: null, codec: 'msgpack', compression: null };
const FULL: Extension = { etag: 'W/"5e"', codec: 'protobuf', compression: 'brotli' };

const extension: fc.Arbitrary<Extension> = fc.record({
  etag: fc.option(
    fc
      .string({ unit: 'binary', maxLength: 400 })
      .filter((text) => text.isWellFormed() && Buffer.byteLength(text) <= 1_024),
  ),
  codec: fc.oneof(fc.constantFrom('msgpack', 'json'), fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/)),
  compression: fc.constantFrom(null, 'gzip' as const, 'brotli' as const),
});

/** An entry with this extension, as bytes, and a checksum that fits. */
function withFields(fields: Buffer, codecId = 1, flags = 0): Buffer {
  const plain = encodeEntry(HEADER, PAYLOAD);
  const bytes = Buffer.concat([plain.subarray(0, HEADER_BYTES), fields, PAYLOAD]);
  bytes.writeUInt16BE(fields.length, LENGTH_AT);
  bytes[3] = flags;
  bytes[36] = codecId;
  bytes.writeUInt32BE(crc32(bytes.subarray(36), crc32(bytes.subarray(0, 32))), 32);
  return bytes;
}

function field(type: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.of(type, bytes.length >> 8, bytes.length & 0xff), bytes]);
}

describe('an extension', () => {
  test('comes back as it was written, with its entry and from the first bytes alone', () => {
    fc.assert(
      fc.property(extension, fc.uint8Array({ maxLength: 100 }), (written, payload) => {
        const bytes = encodeEntry(HEADER, payload, written);
        expect(decodeEntry(bytes)).toEqual({
          header: HEADER,
          extension: written,
          payload: Buffer.from(payload),
        });
        const first = bytes.subarray(0, bytes.length - payload.length);
        expect(decodeExtension(first)).toEqual(written);
      }),
    );
  });

  test('takes no byte of a plain msgpack or JSON entry', () => {
    for (const codec of ['msgpack', 'json']) {
      const bytes = encodeEntry(HEADER, PAYLOAD, { ...PLAIN, codec });
      expect(bytes).toHaveLength(HEADER_BYTES + PAYLOAD.length);
    }
  });

  test('may have fields of a newer writer: they are skipped', () => {
    const newer = field(9, 'something to come');
    const bytes = withFields(Buffer.concat([newer, field(1, '"tag"'), newer]));
    expect(decodeEntry(bytes)).toMatchObject({
      extension: { ...PLAIN, etag: '"tag"' },
      payload: PAYLOAD,
    });
    expect(decodeExtension(bytes)).toEqual({ ...PLAIN, etag: '"tag"' });
  });

  test('takes an ETag of 1,024 bytes and refuses a longer one', () => {
    const longest = `${'é'.repeat(511)}"a`;
    expect(Buffer.byteLength(longest)).toBe(1_024);
    const bytes = encodeEntry(HEADER, PAYLOAD, { ...PLAIN, etag: longest });
    expect(decodeExtension(bytes)?.etag).toBe(longest);
    expect(() => encodeEntry(HEADER, PAYLOAD, { ...PLAIN, etag: `${longest}.` })).toThrow(
      /^`etag` \(.*\) must be at most 1024 bytes long$/,
    );
  });

  test('keeps being readable when its entry is marked as invalidated', () => {
    const bytes = encodeEntry(HEADER, PAYLOAD, FULL);
    bytes[3] = (bytes[3] ?? 0) | INVALIDATED;
    expect(decodeEntry(bytes)).toMatchObject({ header: { invalidated: true }, extension: FULL });
  });
});

describe('an entry is unreadable', () => {
  test.for([
    ['a field without its length', Buffer.of(1)],
    ['a field with half a length', Buffer.of(1, 0)],
    ['a field that is longer than the extension', Buffer.of(1, 0, 9, 0x41)],
    ['half a field after a whole one', Buffer.concat([field(1, 'tag'), Buffer.of(9, 1)])],
    ['an ETag over its limit', field(1, 'e'.repeat(1_025))],
    ['an unknown compression', field(3, Buffer.of(9)), 1, 1],
    ['a compression of two bytes', field(3, Buffer.of(1, 1)), 1, 1],
    ['a compression that its flags deny', field(3, Buffer.of(1)), 1, 0],
    ['no compression though its flags tell of one', field(1, 'tag'), 1, 1],
    ['an unknown codec', field(1, 'tag'), 7],
    ['a custom codec of no name', field(1, 'tag'), 255],
    ['a custom codec of an empty name', field(2, ''), 255],
    ['an unknown flag', field(1, 'tag'), 1, 0x20],
  ] as const)('that has %s, though its checksum is right', ([, fields, codecId, flags]) => {
    const bytes = withFields(fields, codecId, flags);
    expect(decodeEntry(bytes)).toBeNull();
    expect(decodeExtension(bytes)).toBeNull();
  });

  test('when any bit of it but the mark of invalidation is flipped', () => {
    const whole = encodeEntry(HEADER, PAYLOAD, FULL);
    const accepted: string[] = [];
    for (let at = 0; at < whole.length * 8; at++) {
      const bytes = Buffer.from(whole);
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      if (decodeEntry(bytes)) accepted.push(`byte ${at >> 3}, bit ${at & 7}`);
    }
    expect(accepted).toEqual(['byte 3, bit 2']);
  });

  test('when it is cut short anywhere, also in its extension', () => {
    const whole = encodeEntry(HEADER, PAYLOAD, FULL);
    const payloadAt = whole.length - PAYLOAD.length;
    for (let length = 0; length < whole.length; length++) {
      expect(decodeEntry(whole.subarray(0, length))).toBeNull();
      if (length < payloadAt) expect(decodeExtension(whole.subarray(0, length))).toBeNull();
    }
  });

  test('or is one of the fields it seems to have, whatever stands there: nothing throws', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(0, 1, 2, 255),
        fc.constantFrom(0, 1, 2, 3),
        (fields, codecId, flags) => {
          const bytes = withFields(Buffer.from(fields), codecId, flags);
          const first = bytes.subarray(0, HEADER_BYTES + fields.length);
          expect(decodeExtension(first)).toEqual(decodeEntry(bytes)?.extension ?? null);
        },
      ),
    );
  });
});

test('no extension is read from the first bytes of something else', () => {
  expect(decodeExtension(Buffer.from('WRONGTYPE'))).toBeNull();
  expect(decodeExtension(Buffer.alloc(HEADER_BYTES))).toBeNull();
  const newer = encodeEntry(HEADER, PAYLOAD, FULL);
  newer[2] = 2;
  expect(decodeExtension(newer)).toBeNull();
});
