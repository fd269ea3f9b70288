import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEntry,
  decodeHeader,
  type EntryHeader,
  type Extension,
  encodeEntry,
  FORMAT_VERSION,
  HEADER_BYTES,
} from '../../../src/redis/entry.ts';

const FLAGS_AT = 3;
const INVALIDATED = 0x04;

const HEADER: EntryHeader = {
  createdAtMs: 1_790_000_000_123,
  expiresAtMs: 1_790_000_300_456,
  load: { meanMs: 12.5, deviationMs: 0.25 },
  logHeat: 1_491_666.75,
  unreadLives: 1,
  invalidated: false,
  notFound: false,
};
const PAYLOAD = Buffer.from('payload');
const PLAIN: Extension = { etag: null, codec: 'msgpack', compression: null };

const instant = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 });
const header: fc.Arbitrary<EntryHeader> = fc.record({
  createdAtMs: instant,
  expiresAtMs: instant,
  load: fc.record({ meanMs: float, deviationMs: float }),
  logHeat: fc.oneof(fc.constant(Number.NaN), fc.double({ noNaN: true })),
  unreadLives: fc.integer({ min: 0, max: 255 }),
  invalidated: fc.boolean(),
  notFound: fc.boolean(),
});

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = encodeEntry(HEADER, PAYLOAD);
  change(bytes);
  return bytes;
}

/** With the checksum that fits, as a writer of these bytes would have made it. */
function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(36), crc32(bytes.subarray(0, 32))), 32);
  return bytes;
}

describe('an entry', () => {
  test('comes back as it was written, whatever its header and payload', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), (written, payload) => {
        const bytes = encodeEntry(written, payload);
        expect(bytes).toHaveLength(HEADER_BYTES + payload.length);
        const entry = decodeEntry(bytes);
        expect(entry?.header).toEqual(written);
        expect(entry?.extension).toEqual(PLAIN);
        expect(entry?.payload).toEqual(Buffer.from(payload));
        expect(decodeHeader(bytes.subarray(0, HEADER_BYTES))).toEqual(written);
      }),
    );
  });

  test('keeps instants to the millisecond beyond 2^32, and rounds fractions', () => {
    const createdAtMs = 2 ** 32 + 0.4;
    const expiresAtMs = 2 ** 47 + 0.6;
    const bytes = encodeEntry({ ...HEADER, createdAtMs, expiresAtMs }, PAYLOAD);
    expect(decodeHeader(bytes)).toMatchObject({
      createdAtMs: 2 ** 32,
      expiresAtMs: 2 ** 47 + 1,
    });
  });

  test('tells a life that a reader loaded by a log-heat of NaN', () => {
    const bytes = encodeEntry({ ...HEADER, logHeat: Number.NaN }, PAYLOAD);
    expect(decodeEntry(bytes)?.header.logHeat).toBeNaN();
  });

  test('counts unread lives up to 255', () => {
    const bytes = encodeEntry({ ...HEADER, unreadLives: 300 }, PAYLOAD);
    expect(decodeHeader(bytes)?.unreadLives).toBe(255);
  });

  test('stays valid when it is marked as invalidated', () => {
    const bytes = changed((entry) => {
      entry[FLAGS_AT] = (entry[FLAGS_AT] ?? 0) | INVALIDATED;
    });
    expect(decodeEntry(bytes)).toEqual({
      header: { ...HEADER, invalidated: true },
      extension: PLAIN,
      payload: PAYLOAD,
    });
  });
});

describe('bytes are no entry', () => {
  test('when any bit but the mark of invalidation is flipped', () => {
    const { length } = encodeEntry(HEADER, PAYLOAD);
    const accepted: string[] = [];
    for (let at = 0; at < length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = changed((entry) => {
          entry[at] = (entry[at] ?? 0) ^ (1 << bit);
        });
        if (decodeEntry(bytes)) accepted.push(`byte ${at}, bit ${bit}`);
      }
    }
    expect(accepted).toEqual([`byte ${FLAGS_AT}, bit 2`]);
  });

  test('when a byte is replaced by any other', () => {
    const { length } = encodeEntry(HEADER, PAYLOAD);
    fc.assert(
      fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        fc.pre(at !== FLAGS_AT || difference !== INVALIDATED);
        const bytes = changed((entry) => {
          entry[at] = (entry[at] ?? 0) ^ difference;
        });
        expect(decodeEntry(bytes)).toBeNull();
      }),
    );
  });

  test('when they are cut short anywhere, or go on', () => {
    const whole = encodeEntry(HEADER, PAYLOAD);
    for (let length = 0; length < whole.length; length++) {
      expect(decodeEntry(whole.subarray(0, length))).toBeNull();
    }
    expect(decodeEntry(Buffer.concat([whole, Buffer.of(0)]))).toBeNull();
  });

  test('when somebody else wrote them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (foreign) => {
        expect(decodeEntry(Buffer.from(foreign))).toBeNull();
      }),
    );
  });

  test.each([
    ['flags that we do not know', FLAGS_AT, 0x10],
    ['a flag of compression without its algorithm', FLAGS_AT, 0x01],
    ['a codec that we do not know', 36, 9],
    ['a custom codec without its name', 36, 255],
  ])('when they carry %s, though their checksum is right', (_, at, value) => {
    const bytes = changed((entry) => {
      entry[at] = value;
    });
    expect(decodeEntry(resealed(bytes))).toBeNull();
  });

  test('when their extension is longer than they are', () => {
    const bytes = changed((entry) => entry.writeUInt16BE(PAYLOAD.length + 1, 38));
    expect(decodeEntry(resealed(bytes))).toBeNull();
  });

  test('when they are of a newer format: not even their header is read', () => {
    const bytes = changed((entry) => {
      entry[2] = FORMAT_VERSION + 1;
    });
    expect(decodeHeader(bytes)).toBeNull();
    expect(decodeEntry(bytes)).toBeNull();
  });
});

test('writes createdAt where the scripts read it', () => {
  fc.assert(
    fc.property(instant, (createdAtMs) => {
      const bytes = encodeEntry({ ...HEADER, createdAtMs }, PAYLOAD);
      expect(bytes.readUIntBE(4, 6)).toBe(createdAtMs);
    }),
  );
});
