import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress, decompress } from '../../../src/redis/compression.ts';

const algorithms = ['gzip', 'brotli'] as const;

describe.each(algorithms)('%s', (algorithm) => {
  test('gives back what it made smaller', () => {
    const repeated = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 200 }))
      .map(([bytes, times]) => Buffer.concat(Array<Uint8Array>(times).fill(bytes)));
    fc.assert(
      fc.property(repeated, (payload) => {
        const packed = compress(payload, { algorithm, aboveBytes: 0 });
        fc.pre(packed !== null);
        expect(packed.length).toBeLessThan(payload.length);
        expect(decompress(packed, algorithm)).toEqual(payload);
      }),
    );
  });

  test('leaves alone what is not above the size', () => {
    const payload = Buffer.alloc(100);
    expect(compress(payload, { algorithm, aboveBytes: 100 })).toBeNull();
    expect(compress(payload, { algorithm, aboveBytes: 99 })).not.toBeNull();
  });

  test('stops at the limit of what may come out', () => {
    const packed = compress(Buffer.alloc(100_000), { algorithm, aboveBytes: 0 });
    if (!packed) throw new Error('zeros become smaller');
    expect(decompress(packed, algorithm, 100_000)).toHaveLength(100_000);
    expect(() => decompress(packed, algorithm, 99_999)).toThrow(/larger than 99999 bytes/);
  });
});

test('a few bytes that would fill the memory stop at 256 MiB', () => {
  const member = gzipSync(Buffer.alloc(2 ** 24));
  const bomb = Buffer.concat(Array<Buffer>(17).fill(member));
  expect(bomb.length).toBeLessThan(300_000);
  expect(() => decompress(bomb, 'gzip')).toThrow(/larger than 268435456 bytes/);
});
