import { describe, expect, test } from 'vitest';
import {
  livesVary,
  ownLifeMs,
  plannedLifeMs,
  shortestLifeMs,
} from '../../../src/policy/varying-life.ts';

const plain = { ttlMs: 60_000, ttlOf: null, notFoundTtlMs: null };

test('lives vary where values have their own ttl, or nothing found has one', () => {
  expect(livesVary(plain)).toBe(false);
  expect(livesVary({ ...plain, ttlOf: () => 1 })).toBe(true);
  expect(livesVary({ ...plain, notFoundTtlMs: 60_000 })).toBe(true);
});

test('the shortest life is that of nothing found, where that is shorter', () => {
  expect(shortestLifeMs(plain)).toBe(60_000);
  expect(shortestLifeMs({ ...plain, notFoundTtlMs: 5_000 })).toBe(5_000);
  expect(shortestLifeMs({ ...plain, notFoundTtlMs: 90_000 })).toBe(60_000);
});

describe('the life of an entry', () => {
  const at = (withLoadMs: number, meanMs: number) =>
    ownLifeMs({ createdAtMs: 1_000, expiresAtMs: 1_000 + withLoadMs, load: { meanMs } });

  test('is what is left of its time when its load is taken off', () => {
    expect(at(5_200, 200)).toBe(5_000);
    expect(at(3_600_000, 0)).toBe(3_600_000);
  });

  test('is a tenth at least, where loads usually take longer than this one did', () => {
    expect(at(1_010, 3_000)).toBe(101);
    expect(at(11_000, 10_500)).toBe(1_100);
  });
});

test('an entry that was warmed for long is planned by its own life, one whose load took long by the ttl', () => {
  const load = { meanMs: 0 };
  const planned = (lifeMs: number, livesVary: boolean): number =>
    plannedLifeMs({ createdAtMs: 0, expiresAtMs: lifeMs, load }, { ttlMs: 60_000, livesVary });
  expect(planned(3_600_000, false)).toBe(3_600_000);
  expect(planned(70_000, false)).toBe(60_000);
  expect(planned(70_000, true)).toBe(70_000);
});
