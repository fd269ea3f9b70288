import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeDrops,
  MAX_DROPS,
  MAX_MESSAGE_CHARACTERS,
  parseMessage,
} from '../../../src/bus/bus-message.ts';
import type { Dropped } from '../../../src/invalidate/dropped.ts';

/** All that several messages tell to drop. */
function told(texts: readonly string[]): Dropped[] {
  return texts.flatMap((text) => {
    const message = parseMessage(text);
    if (message?.kind !== 'drop') throw new Error(`no drops: ${text.slice(0, 80)}`);
    expect(message.from).toBe('me');
    return message.drops;
  });
}

function keysOf(drops: readonly Dropped[]): string[] {
  return drops.flatMap((drop) => (drop.kind === 'keys' ? drop.keys : []));
}

const loader = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
const text = fc.string({ unit: 'binary', maxLength: 100 });
const dropped: fc.Arbitrary<Dropped> = fc.oneof(
  fc.record({ kind: fc.constant('keys' as const), loader, keys: fc.array(text) }),
  fc.record({ kind: fc.constant('loader' as const), loader }),
  fc.record({ kind: fc.constant('pattern' as const), loader, glob: text }),
  fc.record({ kind: fc.constant('namespace' as const) }),
);

describe('a message', () => {
  test('is heard as it was said', () => {
    fc.assert(
      fc.property(fc.array(dropped), (drops) => {
        expect(told(encodeDrops('me', drops))).toEqual(drops);
      }),
    );
  });

  test('is one for many drops', () => {
    const drops = Array.from({ length: 100 }, (_, at) => drop([`k${at}`]));
    expect(encodeDrops('me', drops)).toHaveLength(1);
  });

  test('is never longer than what is heard, whatever is dropped at once', () => {
    // 100 × 500 keys of 4 KiB; a control character is six in JSON.
    const keys = Array.from({ length: 500 }, (_, at) => `${at}${'\u0001'.repeat(4_090)}`);
    const drops = Array.from({ length: 3 }, () => drop(keys));
    const texts = encodeDrops('me', drops);
    expect(texts.length).toBeGreaterThan(100);
    for (const one of texts) expect(one.length).toBeLessThanOrEqual(MAX_MESSAGE_CHARACTERS);
    expect(keysOf(told(texts))).toEqual([...keys, ...keys, ...keys]);
  });

  test('fills up to the last character', () => {
    for (const length of [-2, -1, 0, 1, 2]) {
      const key = 'k'.repeat(MAX_MESSAGE_CHARACTERS / 2 - 60 + length);
      const texts = encodeDrops('me', [drop([key]), drop([key])]);
      for (const one of texts) expect(one.length).toBeLessThanOrEqual(MAX_MESSAGE_CHARACTERS);
      expect(keysOf(told(texts))).toEqual([key, key]);
    }
  });

  test('has no more drops than are heard', () => {
    const drops = Array.from({ length: MAX_DROPS + 1 }, () => ({ kind: 'namespace' }) as const);
    const texts = encodeDrops('me', drops);
    expect(texts).toHaveLength(2);
    expect(told(texts)).toHaveLength(MAX_DROPS + 1);
  });

  test('is none for nothing', () => {
    expect(encodeDrops('me', [])).toEqual([]);
  });

  test('of the scripts wakes', () => {
    expect(parseMessage('{"wake":"ns:{item@1:a\\/b}"}')).toEqual({
      kind: 'wake',
      entryKey: 'ns:{item@1:a/b}',
    });
  });
});

describe('hostile text', () => {
  test('of any kind is refused, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), mutated()), (given) => {
        const message = parseMessage(given);
        if (message === null) return;
        if (message.kind === 'wake') expect(typeof message.entryKey).toBe('string');
        else for (const one of message.drops) expect(isWellFormed(one)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test.for([
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['an array', '[]'],
    ['no sender', '{"drop":[{"kind":"namespace"}]}'],
    ['no drops', '{"from":"x"}'],
    ['drops that are no array', '{"from":"x","drop":{"length":1,"0":{"kind":"namespace"}}}'],
    ['a kind that is not known', '{"from":"x","drop":[{"kind":"everything"}]}'],
    ['a known one beside it', '{"from":"x","drop":[{"kind":"namespace"},{"kind":"everything"}]}'],
    ['keys that are no texts', '{"from":"x","drop":[{"kind":"keys","loader":"l","keys":[1]}]}'],
    ['a loader that is no text', '{"from":"x","drop":[{"kind":"loader","loader":{}}]}'],
    ['a pattern without a glob', '{"from":"x","drop":[{"kind":"pattern","loader":"l"}]}'],
    ['a value', '{"from":"x","set":[{"key":"k","value":1}]}'],
    ['brackets without end', '['.repeat(200_000)],
    ['more than a message may have', `{"wake":"${'k'.repeat(MAX_MESSAGE_CHARACTERS)}"}`],
    [
      'more drops than a message may have',
      `{"from":"x","drop":[${Array.from({ length: MAX_DROPS + 1 }, () => '{"kind":"namespace"}')}]}`,
    ],
  ])('is refused: %s', ([, given = '']) => {
    expect(parseMessage(given)).toBeNull();
  });
});

function drop(keys: readonly string[]): Dropped {
  return { kind: 'keys', loader: 'item', keys };
}

/** Messages of ours with something else in one place. */
function mutated(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(dropped, { minLength: 1, maxLength: 5 }), fc.nat(), fc.string({ maxLength: 3 }))
    .map(([drops, place, other]) => {
      const [one = ''] = encodeDrops('me', drops);
      const at = place % one.length;
      return one.slice(0, at) + other + one.slice(at + 1);
    });
}

function isWellFormed(one: Dropped): boolean {
  switch (one.kind) {
    case 'namespace':
      return true;
    case 'keys':
      return typeof one.loader === 'string' && one.keys.every((key) => typeof key === 'string');
    case 'pattern':
      return typeof one.loader === 'string' && typeof one.glob === 'string';
    default:
      return one.kind === 'loader' && typeof one.loader === 'string';
  }
}
