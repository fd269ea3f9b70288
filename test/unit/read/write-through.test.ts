import { describe, expect, test } from 'vitest';
import { EverwarmError } from '../../../src/core/errors.ts';
import { writeThrough } from '../../../src/read/write-through.ts';

const down = new EverwarmError('REDIS_UNAVAILABLE', 'Redis is away');

/** A target that notes what is done to it, and fails as it is told. */
function target(failing: { set?: Error; invalidate?: Error } = {}) {
  const done: unknown[] = [];
  return {
    done,
    set: async (value: unknown) => {
      done.push({ set: value });
      if (failing.set) throw failing.set;
    },
    invalidate: async () => {
      done.push('invalidate');
      if (failing.invalidate) throw failing.invalidate;
    },
  };
}

describe('a write', () => {
  test.each([{ id: 1 }, null, 0, '', false])(
    'that answers %o sets it, and answers it',
    async (value) => {
      const entry = target();
      expect(await writeThrough(async () => value, entry)).toBe(value);
      expect(entry.done).toEqual([{ set: value }]);
    },
  );

  test('that answers nothing invalidates', async () => {
    const entry = target();
    expect(await writeThrough(() => undefined, entry)).toBeUndefined();
    expect(entry.done).toEqual(['invalidate']);
  });

  test.each<[string, () => Promise<never>]>([
    ['rejects', () => Promise.reject(new RangeError('no'))],
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
    ],
  ])('that %s may have happened: invalidates, and fails as it did', async (_, write) => {
    const entry = target();
    await expect(writeThrough(write, entry)).rejects.toEqual(new RangeError('no'));
    expect(entry.done).toEqual(['invalidate']);
  });

  test('whose value cannot be kept invalidates, as the old one is wrong now', async () => {
    const unpackable = new EverwarmError('CODEC_FAILED', 'not packable');
    const entry = target({ set: unpackable });
    await expect(writeThrough(() => 1, entry)).rejects.toBe(unpackable);
    expect(entry.done).toEqual([{ set: 1 }, 'invalidate']);
  });

  test('is not followed by a second invalidation where set has tried that', async () => {
    const entry = target({ set: down });
    await expect(writeThrough(() => 1, entry)).rejects.toBe(down);
    expect(entry.done).toEqual([{ set: 1 }]);
  });

  test.each<[string, () => unknown, { set?: Error }]>([
    ['the write failed', () => Promise.reject(new RangeError('no')), {}],
    ['what was written was not set', () => 1, { set: new RangeError('no') }],
  ])('tells both errors where the entry cannot be invalidated: %s', async (what, write, more) => {
    const both = writeThrough<unknown>(write, target({ ...more, invalidate: down }));
    await expect(both).rejects.toMatchObject({
      name: 'AggregateError',
      message: `${what}, and its entry could not be invalidated`,
      errors: [new RangeError('no'), down],
    });
  });

  test('that answers nothing and whose entry cannot be invalidated fails with that', async () => {
    const entry = target({ invalidate: down });
    await expect(writeThrough(() => undefined, entry)).rejects.toBe(down);
  });
});
