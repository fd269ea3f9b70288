import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Codec, Compression, ValueFormat } from '../../../src/config/value-format.ts';
import { EverwarmError } from '../../../src/core/errors.ts';
import { encodeValue } from '../../../src/redis/codec.ts';
import { decodeEntry, type EntryHeader, encodeEntry } from '../../../src/redis/entry.ts';
import { encodeStored, readStored } from '../../../src/redis/stored-value.ts';

const HEADER: EntryHeader = {
  createdAtMs: 1_790_000_000_123,
  expiresAtMs: 1_790_000_300_456,
  load: { meanMs: 12.5, deviationMs: 0.25 },
  logHeat: Number.NaN,
  unreadLives: 0,
  invalidated: false,
  notFound: false,
};
const UNREADABLE = { header: HEADER, etag: null, isReadable: false };
const MSGPACK = formatOf('msgpack');
const TEXT = 'the same words again and again, '.repeat(100);

/** A custom codec: JSON turned round, so that no built-in one could read it. */
const reversed: Codec = {
  name: 'reversed',
  encode: (value) => Buffer.from(JSON.stringify(value)).reverse(),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).reverse().toString()),
};

function formatOf(
  codec: ValueFormat['codec'],
  compression: Compression | null = null,
): ValueFormat {
  return { codec, compression };
}

function broken(how: Partial<Codec>): Codec {
  return { ...reversed, ...how };
}

function errorOf(act: () => unknown): EverwarmError {
  try {
    act();
  } catch (error) {
    if (error instanceof EverwarmError) return error;
  }
  throw new Error('no EverwarmError was thrown');
}

const compression: fc.Arbitrary<Compression | null> = fc.option(
  fc.record({
    algorithm: fc.constantFrom('gzip' as const, 'brotli' as const),
    aboveBytes: fc.constantFrom(0, 20, 1_024),
  }),
);
const codec = fc.constantFrom<ValueFormat['codec'][]>('msgpack', 'json', reversed);
const format: fc.Arbitrary<ValueFormat> = fc.record({ codec, compression });

describe('a stored value', () => {
  test('comes back whatever its format, if it is JSON data, with its ETag', () => {
    // -0 is 0 in JSON; msgpackr renames a key `__proto__`.
    const data = fc
      .jsonValue({ maxDepth: 4 })
      .map((value) => JSON.parse(JSON.stringify(value)))
      .filter((value) => !JSON.stringify(value).includes('__proto__'));
    const etag = fc.option(fc.string({ maxLength: 40 }));
    fc.assert(
      fc.property(data, format, etag, (value, chosen, tag) => {
        const bytes = encodeStored(HEADER, value, { format: chosen, etag: tag });
        const expected = { header: HEADER, value, etag: tag, isReadable: true };
        expect(readStored(bytes, chosen)).toEqual(expected);
      }),
    );
  });

  test('keeps the types of msgpack, compressed or not', () => {
    const value = {
      date: new Date(1_790_000_000_123),
      map: new Map<unknown, unknown>([[1, new Set(['a'])]]),
      big: 2n ** 80n,
      missing: undefined,
      bytes: new Uint8Array([1, 2, 3]),
      floats: new Float64Array([0.1, Number.NaN]),
      nothing: Number.NaN,
    };
    for (const algorithm of [null, 'gzip', 'brotli'] as const) {
      const chosen = formatOf('msgpack', algorithm && { algorithm, aboveBytes: 0 });
      const found = readStored(encodeStored(HEADER, value, { format: chosen }), chosen);
      expect(found.isReadable && found.value).toEqual(value);
    }
  });

  test('is read without a word about its format, unless its codec is a custom one', () => {
    for (const name of ['msgpack', 'json'] as const) {
      for (const algorithm of ['gzip', 'brotli'] as const) {
        const chosen = formatOf(name, { algorithm, aboveBytes: 100 });
        const bytes = encodeStored(HEADER, TEXT, { format: chosen });
        expect(readStored(bytes)).toMatchObject({ value: TEXT, isReadable: true });
        expect(readStored(bytes, formatOf(reversed))).toMatchObject({ value: TEXT });
      }
    }
  });

  test('is bytes like those that were written before there was a choice', () => {
    const bytes = encodeStored(HEADER, { id: 1 }, { format: MSGPACK });
    expect(bytes).toEqual(encodeEntry(HEADER, encodeValue({ id: 1 })));
  });

  test('may be that nothing was found: undefined, with its ETag, and no codec is asked', () => {
    const header = { ...HEADER, notFound: true };
    const never = broken({
      encode: () => expect.unreachable('asked to encode'),
      decode: () => expect.unreachable('asked to decode'),
    });
    const bytes = encodeStored(header, 'ignored', { format: formatOf(never), etag: '"none"' });
    expect(decodeEntry(bytes)?.payload).toHaveLength(0);
    const expected = { header, value: undefined, etag: '"none"', isReadable: true };
    expect(readStored(bytes, formatOf(never))).toEqual(expected);
    expect(readStored(bytes)).toEqual(expected);
  });
});

describe('compression', () => {
  function kept(value: unknown, { algorithm, aboveBytes }: Compression): string {
    const chosen = formatOf('json', { algorithm, aboveBytes });
    const entry = decodeEntry(encodeStored(HEADER, value, { format: chosen }));
    return `${entry?.payload.length} bytes, ${entry?.extension.compression ?? 'as they are'}`;
  }

  test.for(['gzip', 'brotli'] as const)('with %s begins above its size', (algorithm) => {
    const text = 'a'.repeat(98); // 100 bytes as JSON
    expect(kept(text, { algorithm, aboveBytes: 100 })).toBe('100 bytes, as they are');
    expect(kept(text, { algorithm, aboveBytes: 99 })).toMatch(
      new RegExp(`^\\d\\d bytes, ${algorithm}$`),
    );
  });

  test.for(['gzip', 'brotli'] as const)(
    'with %s is left out where it saves nothing',
    (algorithm) => {
      expect(kept('short', { algorithm, aboveBytes: 0 })).toBe('7 bytes, as they are');
    },
  );

  test.for([
    ['is damaged', gzipSync(encodeValue(TEXT)).fill(0, 20, 30)],
    ['is cut short', gzipSync(encodeValue(TEXT)).subarray(0, -10)],
    ['is of another algorithm', brotliCompressSync(encodeValue(TEXT))],
    ['never was compressed', Buffer.from('plain text')],
    ['is empty', Buffer.alloc(0)],
  ] as const)('that %s makes the entry unreadable', ([, payload]) => {
    const extension = { etag: '"5e"', codec: 'msgpack', compression: 'gzip' } as const;
    expect(readStored(encodeEntry(HEADER, payload, extension))).toEqual(UNREADABLE);
  });
});

describe('a custom codec', () => {
  const written = encodeStored(HEADER, { id: 1 }, { format: formatOf(reversed), etag: '"1"' });

  test('reads what it wrote', () => {
    expect(readStored(written, formatOf(reversed))).toMatchObject({ value: { id: 1 } });
  });

  test.for([
    ['a built-in codec', MSGPACK],
    ['a codec of another name', formatOf(broken({ name: 'reversed-2' }))],
  ] as const)('leaves entries that are unreadable to a loader with %s', ([, chosen]) => {
    expect(readStored(written, chosen)).toEqual(UNREADABLE);
    expect(readStored(written)).toEqual(UNREADABLE);
  });

  test('that throws when it encodes is named in the error, the value is not', () => {
    const cause = new Error('field 3 is required');
    const failing = broken({
      encode: () => {
        throw cause;
      },
    });
    const error = errorOf(() =>
      encodeStored(HEADER, { secret: 'hunter2' }, { format: formatOf(failing) }),
    );
    expect(error).toMatchObject({ code: 'CODEC_FAILED', cause });
    expect(error.message).toBe(
      'codec "reversed" could not encode a value (Object): field 3 is required',
    );
  });

  test.for([
    ['a string', 'text', 'string'],
    ['nothing', undefined, 'undefined'],
    ['a promise', Promise.resolve(new Uint8Array()), 'Promise'],
  ] as const)('that answers %s instead of bytes is refused', ([, answer, type]) => {
    const failing = broken({ encode: () => answer as unknown as Uint8Array });
    const error = errorOf(() => encodeStored(HEADER, [1], { format: formatOf(failing) }));
    expect(error.message).toBe(
      `codec "reversed" could not encode a value (array): encode must answer a Uint8Array, not ${type}`,
    );
  });

  test.for([
    ['throws', () => expect.fail('cannot decode')],
    ['answers a promise of the value', () => Promise.resolve({ id: 1 })],
    ['answers a promise that rejects', () => Promise.reject(new Error('nobody must see this'))],
  ] as const)('that %s when it decodes makes the entry unreadable', ([, decode]) => {
    expect(readStored(written, formatOf(broken({ decode })))).toEqual(UNREADABLE);
  });
});

describe('a built-in codec', () => {
  test.for([
    ['json', undefined, 'undefined', 'JSON has no undefined: use msgpack or a codec of your own'],
    ['json', { big: 1n }, 'Object', 'Do not know how to serialize a BigInt'],
    ['msgpack', Symbol('s'), 'symbol', 'Unknown type: symbol'],
  ] as const)('%s says what it cannot encode', ([name, value, type, reason]) => {
    const error = errorOf(() => encodeStored(HEADER, value, { format: formatOf(name) }));
    expect(error).toMatchObject({ code: 'CODEC_FAILED', cause: expect.any(Error) });
    expect(error.message).toBe(`codec "${name}" could not encode a value (${type}): ${reason}`);
  });

  test.for(['msgpack', 'json'])('%s makes bytes that it cannot decode unreadable', (name) => {
    const extension = { etag: '"5e"', codec: name, compression: null };
    for (const payload of [Buffer.from('{"a":'), Buffer.alloc(0), Buffer.of(0x82, 0xa1)]) {
      expect(readStored(encodeEntry(HEADER, payload, extension))).toEqual(UNREADABLE);
    }
  });

  test('never throws on hostile bytes with a right checksum, compressed or not', () => {
    const extension = fc.record({
      etag: fc.constant(null),
      codec: fc.constantFrom('msgpack', 'json', 'reversed'),
      compression: fc.constantFrom(null, 'gzip' as const, 'brotli' as const),
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), extension, (payload, chosen) => {
        const bytes = encodeEntry(HEADER, payload, chosen);
        expect(readStored(bytes, formatOf(reversed)).header).toEqual(HEADER);
      }),
    );
  });
});

test('a softly invalidated entry is still read: it may serve until it is replaced', () => {
  const bytes = encodeStored({ ...HEADER, invalidated: true }, 1, { format: MSGPACK, etag: '"1"' });
  expect(readStored(bytes)).toMatchObject({ value: 1, etag: '"1"', isReadable: true });
});

test('the ETag of an unreadable entry is not told', () => {
  expect(readStored(Buffer.from('foreign'))).toEqual({
    header: null,
    etag: null,
    isReadable: false,
  });
});
