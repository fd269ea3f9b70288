import { describe, expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/config/defaults.ts';
import {
  type Codec,
  resolveValueFormat,
  type ValueFormat,
} from '../../../src/config/value-format.ts';
import { InvalidOptionError } from '../../../src/core/errors.ts';

/** Hostile options too: what plain JavaScript may pass. */
function resolved(options: { codec?: unknown; compress?: unknown }): ValueFormat {
  return resolveValueFormat(options as object, (field) => `loader "a": ${field}`);
}

class Counting implements Codec {
  name = 'counting';
  calls = 0;
  encode(): Uint8Array {
    this.calls++;
    return new Uint8Array(0);
  }
  decode(): unknown {
    return this.calls;
  }
}

describe('the format of values', () => {
  test('is plain msgpack by default', () => {
    expect(resolved({})).toEqual({ codec: 'msgpack', compression: null });
  });

  test.for(['gzip', 'brotli'] as const)('compresses with %s above the default size', (compress) => {
    const compression = { algorithm: compress, aboveBytes: DEFAULTS.compressAboveBytes };
    expect(resolved({ compress })).toMatchObject({ compression });
    expect(resolved({ compress: { algorithm: compress } })).toMatchObject({ compression });
  });

  test('compresses above the size it is given, also of none', () => {
    for (const above of [0, 1, 1e6]) {
      expect(resolved({ codec: 'json', compress: { algorithm: 'gzip', above } })).toEqual({
        codec: 'json',
        compression: { algorithm: 'gzip', aboveBytes: above },
      });
    }
  });

  test('calls a custom codec as the object it is, under the name it had', () => {
    const codec = new Counting();
    const { codec: kept } = resolved({ codec });
    codec.name = 'renamed';
    if (typeof kept === 'string') throw new Error('the codec was lost');
    kept.encode(null);
    expect(kept.name).toBe('counting');
    expect(kept.decode(new Uint8Array(0))).toBe(1);
  });
});

const encode = (): Uint8Array => new Uint8Array(0);
const decode = (): unknown => null;
const async = async (): Promise<null> => null;

describe('an option is refused', () => {
  test.for([
    [{ codec: 'protobuf' }, "codec` (\"protobuf\") must be 'msgpack', 'json' or { name"],
    [{ codec: null }, "codec` (null) must be 'msgpack', 'json' or { name, encode, decode }"],
    [{ codec: encode }, 'codec` (a function) must be'],
    [{ codec: { encode, decode } }, 'codec.name` (undefined) must match'],
    [{ codec: { name: 'a b', encode, decode } }, 'codec.name` ("a b") must match'],
    [{ codec: { name: 'x'.repeat(65), encode, decode } }, 'must match ^[A-Za-z0-9_.-]{1,64}$'],
    [{ codec: { name: 'json', encode, decode } }, 'codec.name` ("json") is the name of a built-in'],
    [{ codec: { name: 'a', decode } }, 'codec.encode` (undefined) must be a function'],
    [{ codec: { name: 'a', encode, decode: 1 } }, 'codec.decode` (1) must be a function'],
    [{ codec: { name: 'a', encode, decode: async } }, 'codec.decode` (a function) must be a func'],
    [{ compress: 'zstd' }, "compress` (\"zstd\") must be 'gzip' or 'brotli'"],
    [{ compress: true }, "compress` (true) must be 'gzip', 'brotli' or { algorithm, above }"],
    [{ compress: null }, 'compress` (null) must be'],
    [{ compress: {} }, "compress.algorithm` (undefined) must be 'gzip' or 'brotli'"],
    [{ compress: { algorithm: 'gzip', above: -1 } }, 'compress.above` (-1) must be a whole number'],
    [{ compress: { algorithm: 'gzip', above: '1kb' } }, 'compress.above` ("1kb") must be a whole'],
    [{ compress: { algorithm: 'gzip', above: 0.5 } }, 'compress.above` (0.5) must be a whole'],
  ] as const)('with its path, value and rule: %o', ([options, message]) => {
    expect(() => resolved(options)).toThrow(InvalidOptionError);
    expect(() => resolved(options)).toThrow(`\`loader "a": `);
    expect(() => resolved(options)).toThrow(message);
  });
});
