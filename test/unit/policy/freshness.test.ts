import { describe, expect, test } from 'vitest';
import { isFresh, isOverdue } from '../../../src/policy/freshness.ts';

test('an entry is fresh until the instant it expires', () => {
  expect(isFresh({ expiresAtMs: 1_000 }, 999.9)).toBe(true);
  expect(isFresh({ expiresAtMs: 1_000 }, 1_000)).toBe(false);
});

describe('an entry is overdue', () => {
  const steady = { expiresAtMs: 10_000, load: { meanMs: 400, deviationMs: 10 } };
  const shaky = { expiresAtMs: 10_000, load: { meanMs: 400, deviationMs: 100 } };

  test('when a quarter more than a steady load no longer fits', () => {
    expect(isOverdue(steady, 9_500)).toBe(false);
    expect(isOverdue(steady, 9_501)).toBe(true);
  });

  test('when four deviations more than a shaky load no longer fit', () => {
    expect(isOverdue(shaky, 9_200)).toBe(false);
    expect(isOverdue(shaky, 9_201)).toBe(true);
  });

  test('only after expiry when its load time is unknown', () => {
    const untimed = { expiresAtMs: 10_000, load: { meanMs: 0, deviationMs: 0 } };
    expect(isOverdue(untimed, 10_000)).toBe(false);
    expect(isOverdue(untimed, 10_001)).toBe(true);
  });
});
