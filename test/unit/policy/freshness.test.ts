import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isFresh,
  isOverdue,
  lifeMs,
  type Usability,
  usability,
} from '../../../src/policy/freshness.ts';

test('an entry is fresh until the instant it expires', () => {
  expect(isFresh({ expiresAtMs: 1_000 }, 999.9)).toBe(true);
  expect(isFresh({ expiresAtMs: 1_000 }, 1_000)).toBe(false);
});

describe('what an entry that expires at 1,000 is good for', () => {
  const allowed = { staleWhileRevalidateMs: 100, staleIfErrorMs: 300 };

  test.for<[string, number, Usability, Usability]>([
    ['just before its expiry', 999.9, 'fresh', 'revalidate'],
    ['at its expiry', 1_000, 'revalidate', 'revalidate'],
    ['at the end of staleWhileRevalidate', 1_099.9, 'revalidate', 'revalidate'],
    ['after it', 1_100, 'on-error', 'on-error'],
    ['at the end of staleIfError', 1_299.9, 'on-error', 'on-error'],
    ['after both', 1_300, 'none', 'none'],
  ])('%s', ([, nowMs, intact, invalidated]) => {
    const entry = { expiresAtMs: 1_000 };
    expect(usability({ ...entry, invalidated: false }, allowed, nowMs)).toBe(intact);
    expect(usability({ ...entry, invalidated: true }, allowed, nowMs)).toBe(invalidated);
  });

  test.for<[string, number, number, number, Usability]>([
    ['nothing after its expiry where no staleness is allowed', 0, 0, 1_000, 'none'],
    ['an answer on error at once where nothing is revalidated', 0, 300, 1_000, 'on-error'],
    ['revalidation alone where that is allowed for longer', 300, 100, 1_200, 'revalidate'],
    ['nothing after that', 300, 100, 1_300, 'none'],
  ])('is %s', ([, staleWhileRevalidateMs, staleIfErrorMs, nowMs, expected]) => {
    const entry = { expiresAtMs: 1_000, invalidated: false };
    expect(usability(entry, { staleWhileRevalidateMs, staleIfErrorMs }, nowMs)).toBe(expected);
  });

  test('is never anything past its expiry and the longest staleness allowed, invalidated or not', () => {
    const life = fc.record({
      expiresAtMs: fc.integer({ min: 0, max: 2e12 }),
      invalidated: fc.boolean(),
      staleWhileRevalidateMs: fc.nat(1e9),
      staleIfErrorMs: fc.nat(1e9),
      afterMs: fc.integer({ min: -1e9, max: 3e9 }),
    });
    fc.assert(
      fc.property(life, ({ expiresAtMs, invalidated, afterMs, ...given }) => {
        const use = usability({ expiresAtMs, invalidated }, given, expiresAtMs + afterMs);
        const longestMs = Math.max(given.staleWhileRevalidateMs, given.staleIfErrorMs);
        expect(use === 'none').toBe(afterMs >= 0 && afterMs >= longestMs);
        expect(use === 'fresh').toBe(afterMs < 0 && !invalidated);
        // Without a load that fails: before expiry, or within staleWhileRevalidate.
        const isServed = use === 'fresh' || use === 'revalidate';
        expect(isServed).toBe(afterMs < 0 || afterMs < given.staleWhileRevalidateMs);
      }),
    );
  });
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

test('an entry lives for the longer of its ttls and what it is kept stale', () => {
  expect(lifeMs({ ttlMs: 60, keptStaleMs: 5 })).toBe(65);
  expect(lifeMs({ ttlMs: 60, keptStaleMs: 5, notFoundTtlMs: null })).toBe(65);
  expect(lifeMs({ ttlMs: 60, keptStaleMs: 5, notFoundTtlMs: 10 })).toBe(65);
  expect(lifeMs({ ttlMs: 60, keptStaleMs: 5, notFoundTtlMs: 600 })).toBe(605);
});
