import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemorySettings } from '../../../src/config/memory-option.ts';
import { encodeKey } from '../../../src/loaders/key-codec.ts';
import { type Filling, MemoryTier } from '../../../src/read/memory-tier.ts';

const TTL_MS = 10_000;
const NOW_MS = 1_790_000_000_000;
const SETTINGS: MemorySettings = {
  maxEntries: 100,
  maxBytes: null,
  ttlMs: TTL_MS,
  sharing: 'shared',
};

/** A tier whose clock stands still. */
function tierOf(settings: Partial<MemorySettings> = {}) {
  const time = { ms: 5_000 };
  const tier = new MemoryTier({ ...SETTINGS, ...settings }, { now: () => time.ms });
  return {
    time,
    tier,
    fill(
      key: string,
      value: unknown,
      given: Partial<Filling> & { readonly createdAtMs?: number } = {},
    ) {
      const { createdAtMs = NOW_MS, ...filling } = given;
      const header = headerOf({ createdAtMs });
      const began = tier.begin();
      tier.fill(key, { value, header, bytes: 100, nowMs: NOW_MS, began, ...filling });
    },
    /** What it answers, or undefined. */
    read(key: string): unknown {
      const held = tier.get(key);
      return held === null ? undefined : tier.valueOf(held);
    },
  };
}

function headerOf(header: Partial<Filling['header']>): Filling['header'] {
  return {
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 60_000,
    load: { meanMs: 0, deviationMs: 0 },
    logHeat: Number.NaN,
    unreadLives: 0,
    invalidated: false,
    notFound: false,
    ...header,
  };
}

describe('a value in memory', () => {
  test('is answered until the ttl of the tier is over', () => {
    const { time, fill, read } = tierOf();
    fill('a', 'value');

    time.ms += TTL_MS - 1;
    expect(read('a')).toBe('value');
    time.ms += 1;
    expect(read('a')).toBeUndefined();
  });

  test('is answered no longer than its entry lives', () => {
    const { time, fill, read } = tierOf();
    fill('a', 'value', { header: headerOf({ expiresAtMs: NOW_MS + 3_000 }) });

    time.ms += 2_999;
    expect(read('a')).toBe('value');
    time.ms += 1;
    expect(read('a')).toBeUndefined();
  });

  test('is asked of Redis from when on a refresh would be overdue', () => {
    const { time, fill, read } = tierOf();
    const load = { meanMs: 100, deviationMs: 50 };
    fill('a', 'value', { header: headerOf({ expiresAtMs: NOW_MS + 3_000, load }) });

    time.ms += 2_699; // 3 s less the mean and four deviations
    expect(read('a')).toBe('value');
    time.ms += 1;
    expect(read('a')).toBeUndefined();
  });

  test('is not kept when it is overdue already', () => {
    const { fill, read } = tierOf();
    fill('a', 'value', { header: headerOf({ expiresAtMs: NOW_MS }) });
    expect(read('a')).toBeUndefined();
  });

  test('keeps to the ttl whatever the clock of the servers does', () => {
    const { time, fill, read } = tierOf();
    // The header's clock was an hour ahead when it was read, and is set right afterwards.
    fill('a', 'value', {
      nowMs: NOW_MS + 3_600_000,
      header: headerOf({ expiresAtMs: NOW_MS + 3_660_000 }),
    });
    time.ms += TTL_MS;
    expect(read('a')).toBeUndefined();
  });

  test('may be that there is nothing', () => {
    const { tier, fill } = tierOf();
    fill('a', undefined);
    expect(tier.get('a')).toMatchObject({ value: undefined });
  });

  test('is not replaced by one whose load began earlier: then Redis is asked', () => {
    const { fill, read } = tierOf();
    fill('a', 'new', { createdAtMs: NOW_MS });
    fill('a', 'old', { createdAtMs: NOW_MS - 1 });
    expect(read('a')).toBeUndefined();

    fill('a', 'old', { createdAtMs: NOW_MS - 1 });
    expect(read('a')).toBe('old');
  });
});

describe('a fill', () => {
  test('during which its key was dropped is not kept', () => {
    const { tier, fill, read } = tierOf();
    const began = tier.begin();
    tier.drop('a');
    fill('a', 'old', { began });
    expect(read('a')).toBeUndefined();
  });

  test('during which everything was dropped is not kept', () => {
    const { tier, fill, read } = tierOf();
    const began = tier.begin();
    tier.dropAll();
    fill('a', 'old', { began });
    expect(read('a')).toBeUndefined();
  });

  test('that began after the drop is kept', () => {
    const { tier, fill, read } = tierOf();
    tier.drop('a');
    tier.dropAll();
    tier.drop('a');
    fill('a', 'new');
    expect(read('a')).toBe('new');
  });

  test('is kept when another key was dropped meanwhile', () => {
    const { tier, fill, read } = tierOf();
    const began = tier.begin();
    tier.drop('b');
    fill('a', 'value', { began });
    expect(read('a')).toBe('value');
  });

  test('is refused however many other keys were dropped since', () => {
    const { tier, fill, read } = tierOf();
    const began = tier.begin();
    tier.drop('a');
    for (let at = 0; at < 50_000; at++) tier.drop(`other ${at}`);
    fill('a', 'old', { began });
    expect(read('a')).toBeUndefined();
  });
});

describe('the room in memory', () => {
  test('is for so many entries, of which the least recently read leaves', () => {
    const { fill, read } = tierOf({ maxEntries: 2 });
    fill('a', 1);
    fill('b', 2);
    read('a');
    fill('c', 3);
    expect(['a', 'b', 'c'].map(read)).toEqual([1, undefined, 3]);
  });

  test('is for so many bytes of entries and keys', () => {
    const { fill, read } = tierOf({ maxEntries: null, maxBytes: 300 });
    fill('a', 1);
    fill('b', 2);
    expect(['a', 'b'].map(read)).toEqual([1, 2]);
    fill('c', 3);
    expect(['a', 'b', 'c'].map(read)).toEqual([undefined, 2, 3]);
  });

  test('is not for an entry that is larger, nor for what it would have replaced', () => {
    const { fill, read } = tierOf({ maxEntries: null, maxBytes: 300 });
    fill('a', 'small');
    fill('b', 'small');
    fill('a', 'large', { bytes: 301 });
    expect(['a', 'b'].map(read)).toEqual([undefined, 'small']);
  });

  test('is for both when both are given', () => {
    const { fill, read } = tierOf({ maxEntries: 2, maxBytes: 1_000 });
    for (const key of ['a', 'b', 'c']) fill(key, key);
    expect(['a', 'b', 'c'].map(read)).toEqual([undefined, 'b', 'c']);
    fill('d', 'd', { bytes: 950 });
    expect(['b', 'c', 'd'].map(read)).toEqual([undefined, undefined, 'd']);
  });

  test('takes an entry of no bytes', () => {
    const { fill, read } = tierOf({ maxEntries: null, maxBytes: 300 });
    fill('', 'value', { bytes: 0 });
    expect(read('')).toBe('value');
  });

  test('is not taken before it is needed', () => {
    expect(() => tierOf({ maxEntries: Number.MAX_SAFE_INTEGER })).not.toThrow();
  });
});

describe('what is kept', () => {
  test('is frozen for all who read it', () => {
    const { fill, read } = tierOf({ sharing: 'frozen' });
    const value = { list: [{ n: 1 }] };
    fill('a', value);
    expect(read('a')).toBe(value);
    expect(() => {
      (read('a') as typeof value).list[0] = { n: 2 };
    }).toThrow(TypeError);
  });

  test('is a copy, and each reader gets another', () => {
    const { fill, read } = tierOf({ sharing: 'cloned' });
    const value = { list: [{ n: 1 }] };
    fill('a', value);
    value.list.push({ n: 2 });
    const one = read('a') as typeof value;
    one.list.length = 0;
    expect(read('a')).toEqual({ list: [{ n: 1 }] });
  });

  test('is shared as it is when neither is asked for', () => {
    const { fill, read } = tierOf();
    const value = { n: 1 };
    fill('a', value);
    expect(read('a')).toBe(value);
    expect(Object.isFrozen(value)).toBe(false);
  });

  test.for([
    ['cloned', { call: () => 1 }],
    ['cloned', new (class Price {})()],
    ['frozen', new Proxy({}, { preventExtensions: () => false })],
  ] as const)('leaves out what cannot be %s', ([sharing, value]) => {
    const { fill, read } = tierOf({ sharing });
    expect(() => fill('a', value)).not.toThrow();
    expect(read('a')).toBeUndefined();
  });
});

test('keys are told apart whatever characters they are of', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.jsonValue().map(encodeKey), { maxLength: 20 }), (keys) => {
      const { tier, fill, read } = tierOf();
      for (const key of keys) fill(key, key);
      expect(keys.map(read)).toEqual(keys);
      for (const key of keys.slice(0, 5)) tier.drop(key);
      expect(keys.map(read)).toEqual(keys.map((key, at) => (at < 5 ? undefined : key)));
    }),
  );
});
