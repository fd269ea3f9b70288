import { describe, expect, test } from 'vitest';
import { Glob } from '../../../src/core/glob.ts';

describe('a glob', () => {
  test.each([
    ['a', 'a', true],
    ['a', 'ab', false],
    ['a*', 'a', true],
    ['*', '', true],
    ['*b*', 'abc', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-b-', false],
    ['?', '', false],
    ['?', 'é', true],
    ['?', '😀', true],
    ['[a-c]x', 'bx', true],
    ['[c-a]x', 'bx', true],
    ['[^a-c]', 'd', true],
    ['[^a-c]', 'b', false],
    ['[]', ']', false],
    ['[\\]]', ']', true],
    ['[ab', 'b', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['\\', '\\', true],
    ['{"id":*}', '{"id":7}', true],
    ['100%', '100%', true],
  ])('%j matches %j: %j', (glob, text, isMatch) => {
    expect(new Glob(glob).matches(text)).toBe(isMatch);
  });

  test.each([
    ['*', true],
    ['***', true],
    ['?*', true],
    ['*?', true],
    ['?', false],
    ['a*', false],
    ['[^]', false],
  ])('%j matches every key: %j', (glob, matchesAll) => {
    expect(new Glob(glob).matchesAll).toBe(matchesAll);
  });

  test('takes no longer than both lengths allow', () => {
    const glob = new Glob(`${'a*'.repeat(1_000)}b`);
    const startedAtMs = performance.now();
    expect(glob.matches('a'.repeat(4_000))).toBe(false);
    // Backtracking into every star would take longer than anybody waits.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});
